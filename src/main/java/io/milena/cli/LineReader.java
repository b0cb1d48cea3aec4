package io.milena.cli;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * Makes a record of a line of text: {@code [headers TAB] [key SEPARATOR] value}.
 *
 * @param keySeparator what ends the key; null if lines have none
 * @param hasHeaders whether lines begin with {@code name=value,name=value} and a tab
 * @param nullMarker a key or value that is exactly this text is null; null if nothing is
 * @param partition where all records go; null leaves it to the key
 * @param key the key of lines that have none of their own; null for none
 */
record LineReader(
    String topic,
    @Nullable String keySeparator,
    boolean hasHeaders,
    @Nullable String nullMarker,
    @Nullable Integer partition,
    @Nullable String key) {

  /**
   * Reads one line, without its line end.
   *
   * @throws CliException where a separator is missing
   */
  ProducerRecord<byte[], byte[]> read(String line) {
    RecordHeaders headers = new RecordHeaders();
    String rest = line;
    if (hasHeaders) {
      int tab = rest.indexOf('\t');
      if (tab < 0) {
        throw CliException.usage("no tab after the headers (name=value,name=value<TAB>...)");
      }
      addHeaders(headers, rest.substring(0, tab));
      rest = rest.substring(tab + 1);
    }
    String itsKey = key;
    if (keySeparator != null) {
      int at = rest.indexOf(keySeparator);
      if (at < 0) {
        throw CliException.usage("no key separator '" + keySeparator + "' in it");
      }
      itsKey = rest.substring(0, at);
      rest = rest.substring(at + keySeparator.length());
    }
    return new ProducerRecord<>(topic, partition, null, bytes(itsKey), bytes(rest), headers);
  }

  private static void addHeaders(RecordHeaders headers, String text) {
    if (text.isEmpty()) {
      return;
    }
    for (String header : text.split(",", -1)) {
      int equals = header.indexOf('=');
      if (equals <= 0) {
        throw CliException.usage("header '" + header + "' is not name=value");
      }
      headers.add(
          header.substring(0, equals),
          header.substring(equals + 1).getBytes(StandardCharsets.UTF_8));
    }
  }

  private byte @Nullable [] bytes(@Nullable String text) {
    return text == null || text.equals(nullMarker) ? null : text.getBytes(StandardCharsets.UTF_8);
  }
}
