package io.milena.metadata;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.milena.metadata.MetadataRecordCodec.UnreadableMetadataException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;

/**
 * Reads what {@link Output} wrote; whatever does not fit is {@link UnreadableMetadataException}.
 */
final class Input {

  private final ByteBuffer bytes;
  private final String what;
  private int version;

  /**
   * @param what names the bytes in errors
   */
  Input(byte[] bytes, String what) {
    this.bytes = ByteBuffer.wrap(bytes);
    this.what = what;
  }

  /** The version of the layout, once it has been read. */
  int version() {
    return version;
  }

  void version(int newVersion) {
    version = newVersion;
  }

  /** The result of reading everything that is left: neither less nor more may be there. */
  <T> T whole(Supplier<T> reader) {
    T result;
    try {
      result = reader.get();
    } catch (BufferUnderflowException e) {
      throw damaged("ends too early");
    } catch (IllegalStateException e) {
      throw damaged("contradicts itself: " + e.getMessage());
    }
    if (bytes.hasRemaining()) {
      throw damaged("goes on for " + bytes.remaining() + " bytes after its end");
    }
    return result;
  }

  int u8() {
    return bytes.get() & 0xFF;
  }

  boolean bool() {
    int value = u8();
    if (value > 1) {
      throw damaged("has " + value + " where 0 or 1 belongs");
    }
    return value == 1;
  }

  long number() {
    long raw = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      int next = u8();
      raw |= (long) (next & 0x7F) << shift;
      if ((next & 0x80) == 0) {
        return (raw >>> 1) ^ -(raw & 1);
      }
    }
    throw damaged("has a number of more than ten bytes");
  }

  int int32() {
    long value = number();
    if (value != (int) value) {
      throw damaged("has " + value + " where 32 bits belong");
    }
    return (int) value;
  }

  /**
   * A number of things that follow, each of at least one byte: so a damaged one allocates little.
   */
  int count() {
    int count = int32();
    if (count < 0 || count > bytes.remaining()) {
      throw damaged("announces " + count + " items in " + bytes.remaining() + " bytes");
    }
    return count;
  }

  String string() {
    byte[] utf8 = new byte[count()];
    bytes.get(utf8);
    return new String(utf8, UTF_8);
  }

  Optional<String> optional() {
    return bool() ? Optional.of(string()) : Optional.empty();
  }

  Uuid uuid() {
    return new Uuid(bytes.getLong(), bytes.getLong());
  }

  List<Integer> ints() {
    return list(this::int32);
  }

  <T> List<T> list(Supplier<T> item) {
    int count = count();
    List<T> items = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      items.add(item.get());
    }
    return items;
  }

  private UnreadableMetadataException damaged(String how) {
    return new UnreadableMetadataException(
        what + " is damaged at byte " + bytes.position() + ": it " + how);
  }
}
