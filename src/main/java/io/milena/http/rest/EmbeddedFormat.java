package io.milena.http.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.milena.http.Answers;
import io.milena.http.Exchange;
import io.milena.http.HttpFailure;
import java.io.IOException;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** How keys and values stand in the JSON of version 2, and of version 1 before it. */
enum EmbeddedFormat {
  /** Base64. */
  BINARY("application/vnd.kafka.binary.v2+json"),
  /** As JSON, which is what is written, too. */
  JSON("application/vnd.kafka.json.v2+json");

  private static final String VENDOR = "application/vnd.kafka.";

  private final String mediaType;

  EmbeddedFormat(String mediaType) {
    this.mediaType = mediaType;
  }

  String mediaType() {
    return mediaType;
  }

  /** What clients of version 1 call it. */
  String firstMediaType() {
    return mediaType.replace("v2", "v1");
  }

  /** The format that a consumer asks for by name, {@code binary} without one. */
  static EmbeddedFormat named(String name) {
    return switch (name) {
      case "binary", "" -> BINARY;
      case "json" -> JSON;
      default ->
          throw new HttpFailure(
              422, 42204, "Invalid consumer configuration: format is binary or json, not " + name);
    };
  }

  /** The format of a body that is being sent. */
  static EmbeddedFormat ofBody(Exchange exchange) {
    String type = exchange.request().entity().getContentType().mediaType().toString();
    if (type.equals(JSON.mediaType) || type.equals(JSON.firstMediaType())) {
      return JSON;
    }
    if (type.startsWith(VENDOR)
        && !type.equals(BINARY.mediaType)
        && !type.equals(BINARY.firstMediaType())
        && !type.startsWith(VENDOR + "v1")
        && !type.startsWith(VENDOR + "v2")) {
      throw new HttpFailure(
          415,
          415,
          "Content-Type is " + type + ": use " + BINARY.mediaType + " or " + JSON.mediaType);
    }
    return BINARY;
  }

  byte @Nullable [] decode(JsonNode value, String what) {
    if (value.isNull() || value.isMissingNode()) {
      return null;
    }
    if (this == JSON) {
      return Answers.bytes(value);
    }
    try {
      if (value.isTextual()) {
        return Base64.getDecoder().decode(value.textValue());
      }
    } catch (IllegalArgumentException _) {
      // Said below.
    }
    throw new HttpFailure(422, 422, what + " is not Base64, which the binary format has");
  }

  JsonNode encode(byte @Nullable [] bytes) {
    if (bytes == null) {
      return NullNode.instance;
    }
    if (this == BINARY) {
      return TextNode.valueOf(Base64.getEncoder().encodeToString(bytes));
    }
    try {
      return Answers.JSON.readTree(bytes);
    } catch (IOException _) {
      throw new HttpFailure(
          500, 50002, "a record is not JSON: read it with a consumer of format binary");
    }
  }
}
