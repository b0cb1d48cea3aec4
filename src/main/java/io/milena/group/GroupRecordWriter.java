package io.milena.group;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Writes the primitive types of Kafka's protocol into a growing buffer. */
final class GroupRecordWriter {

  private static final int SMALL_RECORD_BYTES = 128;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream(SMALL_RECORD_BYTES);

  GroupRecordWriter int16(int value) {
    out.write(value >>> 8);
    out.write(value);
    return this;
  }

  GroupRecordWriter int32(int value) {
    return int16(value >>> 16).int16(value);
  }

  GroupRecordWriter int64(long value) {
    return int32((int) (value >>> 32)).int32((int) value);
  }

  /** Unsigned, seven bits a byte, lowest first. */
  GroupRecordWriter varint(int value) {
    int rest = value;
    while ((rest & ~0x7f) != 0) {
      out.write((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    out.write(rest);
    return this;
  }

  /** Length as int16, then UTF-8. */
  GroupRecordWriter string(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    if (utf8.length > Short.MAX_VALUE) {
      throw new IllegalArgumentException(
          "string of " + utf8.length + " bytes does not fit an int16");
    }
    int16(utf8.length);
    out.writeBytes(utf8);
    return this;
  }

  /** As {@link #string}; length -1 for null. */
  GroupRecordWriter nullableString(@Nullable String value) {
    return value == null ? int16(-1) : string(value);
  }

  /** Length + 1 as varint, then UTF-8. */
  GroupRecordWriter compactString(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    varint(utf8.length + 1);
    out.writeBytes(utf8);
    return this;
  }

  /** Length as int32, then the bytes. */
  GroupRecordWriter bytes(byte[] value) {
    int32(value.length);
    out.writeBytes(value);
    return this;
  }

  ByteBuffer toBuffer() {
    return ByteBuffer.wrap(out.toByteArray());
  }
}
