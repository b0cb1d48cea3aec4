package io.milena.http.stream;

import akka.util.ByteString;
import java.io.ByteArrayOutputStream;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.Record;

/** Records as the body of an answer. */
final class TextEncoder implements Encoder<ByteString> {

  private final Framing framing;
  private final RecordJson.Values values;
  private ByteArrayOutputStream bytes = new ByteArrayOutputStream(0);

  TextEncoder(Framing framing, RecordJson.Values values) {
    this.framing = framing;
    this.values = values;
  }

  @Override
  public void add(TopicPartition partition, Record record, Supplier<String> position) {
    framing.add(bytes, RecordJson.write(partition, record, values), position);
  }

  @Override
  public int sizeBytes() {
    return bytes.size();
  }

  @Override
  public ByteString take() {
    ByteString taken = ByteString.fromArrayUnsafe(bytes.toByteArray());
    // Nothing is kept for a stream that has nothing to send.
    bytes = new ByteArrayOutputStream(0);
    return taken;
  }

  @Override
  public ByteString keepAlive() {
    return ByteString.fromString(framing.keepAlive());
  }
}
