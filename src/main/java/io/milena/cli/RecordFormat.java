package io.milena.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** How one consumed record is written. Keys and values are written byte for byte. */
@FunctionalInterface
interface RecordFormat {

  /** Writes the record and what separates it from the next. */
  void write(ConsumerRecord<byte[], byte[]> record, OutputStream out) throws IOException;

  /** One line of JSON. */
  static RecordFormat json() {
    return (record, out) -> {
      out.write(RecordJson.write(record));
      out.write('\n');
    };
  }

  /**
   * A template: text with {@code %t} topic, {@code %p} partition, {@code %o} offset, {@code %T}
   * timestamp in milliseconds, {@code %I} timestamp as ISO 8601, {@code %k} key, {@code %s} value,
   * {@code %K} and {@code %S} their sizes in bytes (-1 for none), {@code %h} headers, {@code %%} a
   * percent sign, and {@code \n}, {@code \t}, {@code \r}, {@code \0}, {@code \\}. The letters are
   * those of kcat.
   *
   * @param nullText what stands for a key or value that is not there
   */
  static RecordFormat template(String template, String nullText) {
    byte[] none = utf8(nullText);
    List<RecordFormat> parts = new ArrayList<>();
    StringBuilder literal = new StringBuilder();
    int at = 0;
    while (at < template.length()) {
      char character = template.charAt(at++);
      if (character != '%' && character != '\\') {
        literal.append(character);
        continue;
      }
      if (at == template.length()) {
        throw CliException.usage("--format ends in the middle of '" + character + "'");
      }
      char letter = template.charAt(at++);
      if (character == '\\') {
        literal.append(escaped(letter));
      } else if (letter == '%') {
        literal.append('%');
      } else {
        parts.add(literal(literal.toString()));
        literal.setLength(0);
        parts.add(field(letter, none));
      }
    }
    parts.add(literal(literal.toString()));
    List<RecordFormat> all = List.copyOf(parts);
    return (record, out) -> {
      for (RecordFormat part : all) {
        part.write(record, out);
      }
    };
  }

  private static RecordFormat field(char letter, byte[] none) {
    return switch (letter) {
      case 't' -> (record, out) -> out.write(utf8(record.topic()));
      case 'p' -> (record, out) -> out.write(utf8(record.partition()));
      case 'o' -> (record, out) -> out.write(utf8(record.offset()));
      case 'T' -> (record, out) -> out.write(utf8(record.timestamp()));
      case 'I' -> (record, out) -> out.write(utf8(Instant.ofEpochMilli(record.timestamp())));
      case 'k' -> (record, out) -> out.write(orElse(record.key(), none));
      case 's' -> (record, out) -> out.write(orElse(record.value(), none));
      case 'K' -> (record, out) -> out.write(utf8(record.serializedKeySize()));
      case 'S' -> (record, out) -> out.write(utf8(record.serializedValueSize()));
      case 'h' -> (record, out) -> writeHeaders(record, out, none);
      default ->
          throw CliException.usage(
              "--format: '%" + letter + "' is none of %t %p %o %T %I %k %s %K %S %h %%");
    };
  }

  private static void writeHeaders(
      ConsumerRecord<byte[], byte[]> record, OutputStream out, byte[] none) throws IOException {
    boolean isFirst = true;
    for (Header header : record.headers()) {
      out.write(utf8((isFirst ? "" : ",") + header.key() + "="));
      out.write(orElse(header.value(), none));
      isFirst = false;
    }
  }

  private static RecordFormat literal(String text) {
    byte[] bytes = utf8(text);
    return (_, out) -> out.write(bytes);
  }

  private static char escaped(char letter) {
    return switch (letter) {
      case 'n' -> '\n';
      case 't' -> '\t';
      case 'r' -> '\r';
      case '0' -> '\0';
      case '\\' -> '\\';
      default -> throw CliException.usage("'\\" + letter + "' is none of \\n \\t \\r \\0 \\\\");
    };
  }

  /** Reads the escapes of a separator given on the command line. */
  static String unescape(String text) {
    StringBuilder plain = new StringBuilder();
    int at = 0;
    while (at < text.length()) {
      char character = text.charAt(at++);
      boolean isEscape = character == '\\' && at < text.length();
      plain.append(isEscape ? escaped(text.charAt(at++)) : character);
    }
    return plain.toString();
  }

  private static byte[] orElse(byte @Nullable [] bytes, byte[] none) {
    return bytes == null ? none : bytes;
  }

  private static byte[] utf8(Object value) {
    return String.valueOf(value).getBytes(StandardCharsets.UTF_8);
  }
}
