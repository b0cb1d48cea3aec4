package io.milena;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Load with a memory: a producer that numbers its records and remembers, for each partition, the
 * offset under which each was acknowledged; and the check that all of them are read again, once, in
 * order, at those offsets.
 */
public final class AcknowledgedRecords implements AutoCloseable {

  private final String topic;
  private final int partitions;
  private final KafkaProducer<String, String> producer;
  private final Thread thread;
  private final AtomicBoolean stopped = new AtomicBoolean();
  private final AtomicLong acknowledgedCount = new AtomicLong();
  private final AtomicLong longestGapNanos = new AtomicLong();
  private final List<Exception> failures = Collections.synchronizedList(new ArrayList<>());

  /** By partition, the number of each acknowledged record by its offset. */
  private final List<Map<Long, Long>> acknowledged = new ArrayList<>();

  private long lastAcknowledgedNanos = System.nanoTime();

  public AcknowledgedRecords(
      String bootstrap, String topic, int partitions, Map<String, String> settings) {
    this.topic = topic;
    this.partitions = partitions;
    for (int i = 0; i < partitions; i++) {
      acknowledged.add(Collections.synchronizedMap(new TreeMap<>()));
    }
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("acks", "all");
    properties.put("delivery.timeout.ms", "120000");
    properties.put("request.timeout.ms", "5000");
    properties.put("reconnect.backoff.max.ms", "100");
    properties.put("retry.backoff.max.ms", "100");
    properties.put("max.block.ms", "60000");
    properties.putAll(settings);
    producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
    thread = new Thread(this::produce, "load");
    thread.start();
  }

  private void produce() {
    long number = 0;
    while (!stopped.get()) {
      long current = number++;
      int partition = (int) (current % partitions);
      producer.send(
          new ProducerRecord<>(topic, partition, null, Long.toString(current)),
          (metadata, failure) -> {
            if (failure != null) {
              failures.add(failure);
              return;
            }
            acknowledged.get(partition).put(metadata.offset(), current);
            acknowledgedCount.incrementAndGet();
            long now = System.nanoTime();
            longestGapNanos.accumulateAndGet(now - lastAcknowledgedNanos, Math::max);
            lastAcknowledgedNanos = now;
          });
      if (current % 50 == 0) {
        java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
      }
    }
    producer.flush();
  }

  public long acknowledgedCount() {
    return acknowledgedCount.get();
  }

  /** Waits until so many more records have been acknowledged. */
  public void awaitAnother(long count) {
    long target = acknowledgedCount.get() + count;
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (acknowledgedCount.get() < target) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError(
            "only "
                + acknowledgedCount.get()
                + " of "
                + target
                + " records acknowledged in time; failures: "
                + failures.stream().limit(3).toList());
      }
      java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
    }
  }

  /** The longest time between two acknowledgements. */
  public Duration longestGap() {
    return Duration.ofNanos(longestGapNanos.get());
  }

  /** Stops producing and waits for the last acknowledgements. */
  @Override
  public void close() {
    stopped.set(true);
    try {
      thread.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    producer.close();
  }

  /**
   * Reads everything and compares: nothing acknowledged is missing, moved, doubled or out of order.
   */
  public void verify(String bootstrap) {
    assertThat(failures).isEmpty();
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
      List<TopicPartition> all = new ArrayList<>();
      for (int i = 0; i < partitions; i++) {
        all.add(new TopicPartition(topic, i));
      }
      consumer.assign(all);
      consumer.seekToBeginning(all);
      Map<TopicPartition, Long> ends = consumer.endOffsets(all);
      for (TopicPartition partition : all) {
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
        Map<Long, Long> found = new HashMap<>();
        long previous = -1;
        long deadline = System.nanoTime() + Duration.ofSeconds(120).toNanos();
        while (consumer.position(partition) < ends.get(partition)) {
          assertThat(System.nanoTime()).as("reading %s in time", partition).isLessThan(deadline);
          for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
            long number = Long.parseLong(record.value());
            assertThat(number)
                .as("order at %s-%d", partition, record.offset())
                .isGreaterThan(previous);
            previous = number;
            found.put(record.offset(), number);
          }
        }
        for (Map.Entry<Long, Long> record : acknowledged.get(partition.partition()).entrySet()) {
          assertThat(found.get(record.getKey()))
              .as("record acknowledged at %s-%d", partition, record.getKey())
              .isEqualTo(record.getValue());
        }
      }
    }
  }
}
