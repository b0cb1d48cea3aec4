package io.milena.http.stream;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;

/** How records follow each other on the wire. */
enum Framing {
  /** Server-Sent Events: each with the position after it as its id. */
  SSE("text/event-stream", ":\n\n") {
    @Override
    void add(ByteArrayOutputStream out, byte[] json, Supplier<String> position) {
      out.writeBytes(("id:" + position.get() + "\ndata:").getBytes(StandardCharsets.UTF_8));
      out.writeBytes(json);
      out.writeBytes(END_OF_EVENT);
    }
  },
  /** A line a record. An empty line now and then says that the stream lives. */
  NDJSON("application/x-ndjson", "\n") {
    @Override
    void add(ByteArrayOutputStream out, byte[] json, Supplier<String> position) {
      out.writeBytes(json);
      out.write('\n');
    }
  };

  private static final byte[] END_OF_EVENT = {'\n', '\n'};

  private final String mediaType;
  private final String keepAlive;

  Framing(String mediaType, String keepAlive) {
    this.mediaType = mediaType;
    this.keepAlive = keepAlive;
  }

  String mediaType() {
    return mediaType;
  }

  /** What is sent when there is nothing to send. */
  String keepAlive() {
    return keepAlive;
  }

  abstract void add(ByteArrayOutputStream out, byte[] json, Supplier<String> position);
}
