package io.milena.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * A record as one line of JSON, the same for {@code consume --output json} and {@code produce
 * --input json}, so that one can be piped into the other.
 *
 * <p>Bytes that are UTF-8 are text under {@code key} and {@code value}; others are Base64 under
 * {@code keyBase64} and {@code valueBase64}. A missing key or value is null.
 */
final class RecordJson {

  private static final ObjectMapper MAPPER = JsonMapper.builder().build();

  private RecordJson() {}

  static byte[] write(ConsumerRecord<byte[], byte[]> record) {
    ObjectNode node =
        Output.object()
            .put("topic", record.topic())
            .put("partition", record.partition())
            .put("offset", record.offset())
            .put("timestamp", record.timestamp())
            .put("timestampType", record.timestampType().name);
    putBytes(node, "key", record.key());
    putBytes(node, "value", record.value());
    var headers = node.putArray("headers");
    for (Header header : record.headers()) {
      ObjectNode entry = headers.addObject().put("key", header.key());
      putBytes(entry, "value", header.value());
    }
    try {
      return MAPPER.writeValueAsBytes(node);
    } catch (JsonProcessingException e) {
      throw new AssertionError("a tree of JSON nodes is always writable", e);
    }
  }

  /**
   * Reads one line.
   *
   * @param partition overrides the line's own partition; null leaves it to the line
   * @throws CliException where the line is no JSON object or a field has the wrong type
   */
  static ProducerRecord<byte[], byte[]> read(
      String line, String topic, @Nullable Integer partition) {
    JsonNode node;
    try {
      node = MAPPER.readTree(line);
    } catch (JsonProcessingException e) {
      throw CliException.usage("not JSON: " + e.getOriginalMessage());
    }
    if (!node.isObject()) {
      throw CliException.usage("not a JSON object such as {\"key\":\"k\",\"value\":\"v\"}");
    }
    if (!node.has("value") && !node.has("valueBase64")) {
      throw CliException.usage("no \"value\" (a tombstone says \"value\":null)");
    }
    Integer itsPartition = partition;
    if (itsPartition == null && node.hasNonNull("partition")) {
      itsPartition = number(node, "partition").intValue();
    }
    Long timestamp = node.hasNonNull("timestamp") ? number(node, "timestamp") : null;
    return new ProducerRecord<>(
        topic,
        itsPartition,
        timestamp,
        bytes(node, "key"),
        bytes(node, "value"),
        headers(node.path("headers")));
  }

  private static Headers headers(JsonNode node) {
    RecordHeaders headers = new RecordHeaders();
    if (node.isObject()) {
      for (var entry : node.properties()) {
        headers.add(entry.getKey(), text(entry.getValue()));
      }
    } else {
      for (JsonNode entry : node) {
        headers.add(entry.path("key").asText(), bytes(entry, "value"));
      }
    }
    return headers;
  }

  private static Long number(JsonNode node, String field) {
    JsonNode value = node.path(field);
    if (!value.isIntegralNumber()) {
      throw CliException.usage("\"" + field + "\" is not a whole number");
    }
    return value.asLong();
  }

  private static byte @Nullable [] bytes(JsonNode node, String field) {
    JsonNode encoded = node.path(field + "Base64");
    if (encoded.isMissingNode()) {
      return text(node.path(field));
    }
    try {
      return encoded.binaryValue();
    } catch (IOException _) {
      throw CliException.usage("\"" + field + "Base64\" is not Base64");
    }
  }

  /** Text as it is, an object, array, number or boolean as compact JSON. */
  private static byte @Nullable [] text(JsonNode value) {
    if (value.isNull() || value.isMissingNode()) {
      return null;
    }
    return (value.isTextual() ? value.textValue() : value.toString())
        .getBytes(StandardCharsets.UTF_8);
  }

  private static void putBytes(ObjectNode node, String field, byte @Nullable [] bytes) {
    if (bytes == null) {
      node.putNull(field);
      return;
    }
    try {
      node.put(
          field,
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .decode(ByteBuffer.wrap(bytes))
              .toString());
    } catch (CharacterCodingException _) {
      node.put(field + "Base64", bytes);
    }
  }
}
