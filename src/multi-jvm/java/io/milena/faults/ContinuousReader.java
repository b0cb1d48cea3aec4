package io.milena.faults;

import io.milena.AcknowledgedRecords;
import io.milena.SeenRecords;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * A stock consumer that reads a topic from its beginning while faults happen. It never goes back:
 * an offset that is out of range, a log that was truncated below what it has read, or a high
 * watermark that is lower than one it was told is a violation.
 */
final class ContinuousReader implements AutoCloseable {

  private final List<TopicPartition> partitions = new ArrayList<>();
  private final List<SeenRecords> seen = new ArrayList<>();
  private final KafkaConsumer<String, String> consumer;
  private final Thread thread = new Thread(this::read, "reader");
  private volatile boolean stopped;

  ContinuousReader(String bootstrap, String topic, int partitionCount) {
    for (int i = 0; i < partitionCount; i++) {
      TopicPartition partition = new TopicPartition(topic, i);
      partitions.add(partition);
      seen.add(new SeenRecords("continuous reader of " + partition));
    }
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("auto.offset.reset", OffsetResetStrategy.NONE.toString());
    properties.put("request.timeout.ms", "2000");
    properties.put("reconnect.backoff.max.ms", "100");
    consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
    consumer.assign(partitions);
    for (TopicPartition partition : partitions) {
      consumer.seek(partition, new OffsetAndMetadata(0));
    }
    thread.start();
  }

  private void read() {
    while (!stopped) {
      try {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
          seen.get(record.partition())
              .see(record.offset(), AcknowledgedRecords.numberOf(record.value()));
        }
        for (TopicPartition partition : partitions) {
          OptionalLong lag = consumer.currentLag(partition);
          if (lag.isPresent()) {
            seen.get(partition.partition())
                .seeHighWatermark(consumer.position(partition) + lag.getAsLong());
          }
        }
      } catch (RetriableException passing) {
        // Nobody to ask right now: that is what the faults are for.
      } catch (KafkaException failure) {
        seen.forEach(records -> records.violation("the reader stopped: %s", failure));
        return;
      }
    }
  }

  /** What was seen so far, by partition. */
  List<SeenRecords> seen() {
    return List.copyOf(seen);
  }

  /** What is wrong with what was seen so far. */
  List<String> violations() {
    return seen.stream().flatMap(records -> records.violations(Map.of(), "").stream()).toList();
  }

  /** How many records were seen so far, over all partitions. */
  long count() {
    return seen.stream().mapToLong(SeenRecords::count).sum();
  }

  @Override
  public void close() throws InterruptedException {
    stopped = true;
    thread.join();
    consumer.close();
  }
}
