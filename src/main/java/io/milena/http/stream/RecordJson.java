package io.milena.http.stream;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.milena.http.Answers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.internal.Record;
import org.jspecify.annotations.Nullable;

/**
 * A record as one line of JSON, as {@code milena consume --output json} writes it: bytes that are
 * UTF-8 are text under {@code key} and {@code value}, others Base64 under {@code keyBase64} and
 * {@code valueBase64}.
 */
final class RecordJson {

  /** How values are written. */
  enum Values {
    /** As text where they are UTF-8. */
    TEXT,
    /** As what they are where they are JSON, else as text. */
    JSON
  }

  private RecordJson() {}

  static byte[] write(TopicPartition partition, Record record, Values values) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(128 + record.sizeInBytes());
    try (JsonGenerator json = Answers.JSON.createGenerator((OutputStream) bytes)) {
      json.writeStartObject();
      json.writeStringField("topic", partition.topic());
      json.writeNumberField("partition", partition.partition());
      json.writeNumberField("offset", record.offset());
      json.writeNumberField("timestamp", record.timestamp());
      put(json, "key", record.key());
      if (values == Values.TEXT || !putJson(json, record.value())) {
        put(json, "value", record.value());
      }
      Header[] headers = record.headers();
      if (headers.length > 0) {
        json.writeArrayFieldStart("headers");
        for (Header header : headers) {
          json.writeStartObject();
          json.writeStringField("key", header.key());
          put(json, "value", header.value() == null ? null : ByteBuffer.wrap(header.value()));
          json.writeEndObject();
        }
        json.writeEndArray();
      }
      json.writeEndObject();
    } catch (IOException impossible) {
      throw new IllegalStateException("writing to memory", impossible);
    }
    return bytes.toByteArray();
  }

  private static boolean putJson(JsonGenerator json, @Nullable ByteBuffer bytes)
      throws IOException {
    if (bytes == null || !bytes.hasRemaining()) {
      return false;
    }
    byte[] copy = array(bytes);
    JsonNode value;
    try {
      value = Answers.JSON.readTree(copy);
    } catch (JsonProcessingException | java.io.CharConversionException notJson) {
      return false;
    }
    if (value == null || value.isMissingNode()) {
      return false;
    }
    json.writeFieldName("value");
    Answers.JSON.writeTree(json, value);
    return true;
  }

  private static void put(JsonGenerator json, String field, @Nullable ByteBuffer bytes)
      throws IOException {
    if (bytes == null) {
      json.writeNullField(field);
      return;
    }
    String text = Utf8.decode(bytes);
    if (text != null) {
      json.writeStringField(field, text);
    } else {
      json.writeBinaryField(field + "Base64", array(bytes));
    }
  }

  private static byte[] array(ByteBuffer bytes) {
    byte[] copy = new byte[bytes.remaining()];
    bytes.duplicate().get(copy);
    return copy;
  }
}
