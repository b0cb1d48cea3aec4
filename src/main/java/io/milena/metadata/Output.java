package io.milena.metadata;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.Uuid;

/** Writes the primitive parts of {@link MetadataRecordCodec}'s layout. */
final class Output {

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  byte[] toByteArray() {
    return bytes.toByteArray();
  }

  void u8(int value) {
    bytes.write(value);
  }

  void bool(boolean value) {
    u8(value ? 1 : 0);
  }

  /** Zigzag, then seven bits a byte, lowest first. */
  void number(long value) {
    long rest = (value << 1) ^ (value >> 63);
    while ((rest & ~0x7FL) != 0) {
      u8((int) (rest & 0x7F) | 0x80);
      rest >>>= 7;
    }
    u8((int) rest);
  }

  void string(String value) {
    byte[] utf8 = value.getBytes(UTF_8);
    number(utf8.length);
    bytes.writeBytes(utf8);
  }

  void optional(Optional<String> value) {
    bool(value.isPresent());
    value.ifPresent(this::string);
  }

  void uuid(Uuid value) {
    int64(value.getMostSignificantBits());
    int64(value.getLeastSignificantBits());
  }

  void ints(List<Integer> values) {
    number(values.size());
    for (int value : values) {
      number(value);
    }
  }

  private void int64(long value) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      u8((int) (value >>> shift));
    }
  }
}
