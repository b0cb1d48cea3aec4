package io.milena.http.rest;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import io.milena.http.Answers;
import io.milena.http.HttpFailure;
import io.milena.http.produce.NewRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The body of a request that produces by version 2: {@code {"records": [{"key": ..., "value": ...,
 * "partition": ..., "timestamp": ...}]}}. Read in one pass; keys and values of the JSON format are
 * checked and taken as the bytes they came as, never made into objects and back.
 */
final class RecordsBody {

  private final byte[] body;
  private final EmbeddedFormat format;
  private final OptionalInt partition;
  private final JsonParser json;

  private RecordsBody(byte[] body, EmbeddedFormat format, OptionalInt partition)
      throws IOException {
    this.body = body;
    this.format = format;
    this.partition = partition;
    this.json = Answers.JSON.createParser(body);
  }

  /**
   * The records.
   *
   * @param partition for all of them; empty to go by what each says
   * @throws HttpFailure 400 for what is no JSON, 422 for what is no list of records
   */
  static List<NewRecord> parse(byte[] body, EmbeddedFormat format, OptionalInt partition) {
    try {
      RecordsBody parsing = new RecordsBody(body, format, partition);
      try (JsonParser _ = parsing.json) {
        return parsing.records();
      }
    } catch (JsonProcessingException wrong) {
      throw HttpFailure.badRequest("the body is not JSON: " + wrong.getOriginalMessage());
    } catch (IOException wrong) {
      throw HttpFailure.badRequest("the body cannot be read: " + wrong.getMessage());
    }
  }

  private List<NewRecord> records() throws IOException {
    JsonToken first = json.nextToken();
    if (first != null && first != JsonToken.START_OBJECT) {
      throw HttpFailure.badRequest("the body must be a JSON object");
    }
    List<NewRecord> records = new ArrayList<>();
    while (first != null && json.nextToken() == JsonToken.FIELD_NAME) {
      String field = json.currentName();
      JsonToken value = json.nextToken();
      if (field.equals("records") && value == JsonToken.START_ARRAY) {
        while (json.nextToken() != JsonToken.END_ARRAY) {
          records.add(record());
        }
      } else {
        json.skipChildren();
      }
    }
    if (records.isEmpty()) {
      throw new HttpFailure(422, 422, "records must be a list with at least one record");
    }
    return records;
  }

  private NewRecord record() throws IOException {
    if (json.currentToken() != JsonToken.START_OBJECT) {
      throw notARecord();
    }
    byte[] key = null;
    byte[] value = null;
    Integer own = null;
    Long timestamp = null;
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String field = json.currentName();
      JsonToken token = json.nextToken();
      switch (field) {
        case "key" -> key = data("key");
        case "value" -> value = data("value");
        case "partition" -> own = partition(token);
        case "timestamp" ->
            timestamp =
                token == JsonToken.VALUE_NUMBER_INT ? Long.valueOf(json.getLongValue()) : null;
        default -> json.skipChildren();
      }
    }
    return new NewRecord(
        partition.isPresent() ? Integer.valueOf(partition.getAsInt()) : own,
        timestamp,
        key,
        value,
        List.of());
  }

  private @Nullable Integer partition(JsonToken token) throws IOException {
    return switch (token) {
      case VALUE_NULL -> null;
      case VALUE_NUMBER_INT -> json.getIntValue();
      default -> throw notARecord();
    };
  }

  private static HttpFailure notARecord() {
    return new HttpFailure(
        422, 422, "a record is an object such as {\"value\": ...}, its partition a number");
  }

  private byte @Nullable [] data(String what) throws IOException {
    if (json.currentToken() == JsonToken.VALUE_NULL) {
      return null;
    }
    long from = json.currentTokenLocation().getByteOffset();
    if (format == EmbeddedFormat.JSON && isQuotedAt(from)) {
      json.skipChildren();
      json.finishToken();
      return Arrays.copyOfRange(body, (int) from, (int) json.currentLocation().getByteOffset());
    }
    return format.decode(json.<JsonNode>readValueAsTree(), what);
  }

  /** Whether a value is here that has an end of its own; offsets are unknown in UTF-16. */
  private boolean isQuotedAt(long offset) {
    return offset >= 0
        && offset < body.length
        && (body[(int) offset] == '{' || body[(int) offset] == '[' || body[(int) offset] == '"');
  }
}
