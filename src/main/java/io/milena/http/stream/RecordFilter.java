package io.milena.http.stream;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.internal.Record;

/**
 * Which records a reader wants: those with one of some keys, if it names any, and with all of some
 * headers.
 *
 * @param keys in UTF-8; none for every key
 * @param headers each must be there
 */
record RecordFilter(List<byte[]> keys, List<WantedHeader> headers) {

  /**
   * @param name of the header
   * @param value in UTF-8, or null for any
   */
  @SuppressWarnings("ArrayRecordComponent") // Compared here only.
  record WantedHeader(String name, byte @org.jspecify.annotations.Nullable [] value) {

    static WantedHeader parse(String text) {
      int equals = text.indexOf('=');
      return equals < 0
          ? new WantedHeader(text, null)
          : new WantedHeader(
              text.substring(0, equals),
              text.substring(equals + 1).getBytes(StandardCharsets.UTF_8));
    }

    boolean isIn(Header[] present) {
      for (Header header : present) {
        if (header.key().equals(name) && (value == null || Arrays.equals(value, header.value()))) {
          return true;
        }
      }
      return false;
    }
  }

  static RecordFilter of(List<String> keys, List<String> headers) {
    return new RecordFilter(
        keys.stream().map(key -> key.getBytes(StandardCharsets.UTF_8)).toList(),
        headers.stream().map(WantedHeader::parse).toList());
  }

  boolean accepts(Record record) {
    if (!keys.isEmpty()) {
      ByteBuffer key = record.key();
      if (key == null || keys.stream().noneMatch(wanted -> ByteBuffer.wrap(wanted).equals(key))) {
        return false;
      }
    }
    if (headers.isEmpty()) {
      return true;
    }
    Header[] present = record.headers();
    return headers.stream().allMatch(wanted -> wanted.isIn(present));
  }
}
