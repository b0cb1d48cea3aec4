package io.milena.http.segments;

import io.milena.http.HttpFailure;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The part of a representation that a Range header asks for (RFC 9110, section 14).
 *
 * @param first byte, from 0
 * @param last byte, inclusive
 */
record ByteRange(long first, long last) {

  private static final Pattern SINGLE = Pattern.compile("(\\d{0,18})\\s*-\\s*(\\d{0,18})");
  private static final String UNIT = "bytes=";

  /**
   * Reads the header.
   *
   * @param sizeBytes of the whole representation
   * @return empty to send all of it: another unit, or several ranges, which may be ignored
   * @throws HttpFailure 416 for a range that begins behind the end, 400 for what is none
   */
  static Optional<ByteRange> parse(String header, long sizeBytes) {
    if (!header.startsWith(UNIT)) {
      return Optional.empty();
    }
    String spec = header.substring(UNIT.length()).trim();
    if (spec.contains(",")) {
      return Optional.empty();
    }
    Matcher range = SINGLE.matcher(spec);
    if (!range.matches() || spec.equals("-")) {
      throw HttpFailure.badRequest(
          "Range is '" + header + "': write it as bytes=FIRST-LAST, bytes=FIRST- or bytes=-COUNT");
    }
    if (range.group(1).isEmpty()) {
      long count = Long.parseLong(range.group(2));
      return Optional.of(
          satisfiable(new ByteRange(Math.max(0, sizeBytes - count), sizeBytes - 1), sizeBytes));
    }
    long first = Long.parseLong(range.group(1));
    long last = range.group(2).isEmpty() ? sizeBytes - 1 : Long.parseLong(range.group(2));
    if (!range.group(2).isEmpty() && last < first) {
      throw HttpFailure.badRequest("Range is '" + header + "': its end is before its beginning");
    }
    return Optional.of(satisfiable(new ByteRange(first, Math.min(last, sizeBytes - 1)), sizeBytes));
  }

  private static ByteRange satisfiable(ByteRange range, long sizeBytes) {
    if (range.first() > range.last()) {
      throw new HttpFailure(416, 416, "the range begins behind the end, at byte " + sizeBytes);
    }
    return range;
  }

  long length() {
    return last - first + 1;
  }
}
