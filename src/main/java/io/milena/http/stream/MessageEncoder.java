package io.milena.http.stream;

import akka.http.javadsl.model.ws.Message;
import akka.http.javadsl.model.ws.TextMessage;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.Record;
import org.jspecify.annotations.Nullable;

/** Records as WebSocket messages, one each. The protocol has pings of its own. */
final class MessageEncoder implements Encoder<List<Message>> {

  private final RecordJson.Values values;
  private List<Message> messages = new ArrayList<>(0);
  private int sizeBytes;

  MessageEncoder(RecordJson.Values values) {
    this.values = values;
  }

  @Override
  public void add(TopicPartition partition, Record record, Supplier<String> position) {
    byte[] json = RecordJson.write(partition, record, values);
    sizeBytes += json.length;
    messages.add(TextMessage.create(new String(json, StandardCharsets.UTF_8)));
  }

  @Override
  public int sizeBytes() {
    return sizeBytes;
  }

  @Override
  public List<Message> take() {
    List<Message> taken = messages;
    messages = new ArrayList<>(0);
    sizeBytes = 0;
    return taken;
  }

  @Override
  public @Nullable List<Message> keepAlive() {
    return null;
  }
}
