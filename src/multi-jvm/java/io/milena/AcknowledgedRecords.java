package io.milena;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Load with a memory: a producer that numbers its records and remembers, for each partition, the
 * offset under which each was acknowledged; and the check that all of them are read again, once, in
 * order, at those offsets.
 */
public final class AcknowledgedRecords implements AutoCloseable {

  /**
   * How fast, and how much.
   *
   * @param recordsPerSecond over all partitions
   * @param padding characters that a record has besides its number
   */
  public record Pace(int recordsPerSecond, int padding) {}

  private static final Pace FAST = new Pace(50_000, 0);

  private static final Duration PATIENCE = Duration.ofSeconds(240);

  private final String topic;
  private final int partitions;
  private final Pace pace;
  private final String padding;
  private final KafkaProducer<String, String> producer;
  private final Thread thread;
  private final AtomicBoolean stopped = new AtomicBoolean();
  private final AtomicLong acknowledgedCount = new AtomicLong();
  private final List<Exception> failures = Collections.synchronizedList(new ArrayList<>());
  private final List<Acknowledged> acknowledged = new ArrayList<>();

  /** What was acknowledged in one partition. Guarded by itself. */
  private static final class Acknowledged {
    final Map<Long, Long> numbers = new TreeMap<>();
    final List<String> violations = new ArrayList<>();
    long lastNumber = -1;
    long lastOffset = -1;
    long lastNanos = System.nanoTime();
    long longestGapNanos;

    synchronized void add(long offset, long number) {
      if (number <= lastNumber || offset <= lastOffset) {
        violations.add(
            "acknowledged out of order: record %d at %d after record %d at %d"
                .formatted(number, offset, lastNumber, lastOffset));
      }
      lastNumber = number;
      lastOffset = offset;
      numbers.put(offset, number);
      long now = System.nanoTime();
      longestGapNanos = Math.max(longestGapNanos, now - lastNanos);
      lastNanos = now;
    }

    synchronized int count() {
      return numbers.size();
    }
  }

  public AcknowledgedRecords(
      String bootstrap, String topic, int partitions, Map<String, String> settings) {
    this(bootstrap, topic, partitions, FAST, settings);
  }

  public AcknowledgedRecords(
      String bootstrap, String topic, int partitions, Pace pace, Map<String, String> settings) {
    this.topic = topic;
    this.partitions = partitions;
    this.pace = pace;
    padding = "-" + "x".repeat(pace.padding());
    for (int i = 0; i < partitions; i++) {
      acknowledged.add(new Acknowledged());
    }
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("acks", "all");
    properties.put("delivery.timeout.ms", "240000");
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
    try {
      sendUntilStopped();
    } catch (KafkaException failure) {
      if (!stopped.get()) {
        failures.add(failure);
      }
    }
  }

  private void sendUntilStopped() {
    long begun = System.nanoTime();
    long number = 0;
    while (!stopped.get()) {
      long current = number++;
      int partition = (int) (current % partitions);
      producer.send(
          new ProducerRecord<>(topic, partition, null, current + padding),
          (metadata, failure) -> {
            if (failure != null) {
              failures.add(failure);
              return;
            }
            acknowledged.get(partition).add(metadata.offset(), current);
            acknowledgedCount.incrementAndGet();
          });
      long ahead = begun + number * 1_000_000_000L / pace.recordsPerSecond() - System.nanoTime();
      if (ahead > 1_000_000) {
        LockSupport.parkNanos(ahead);
      }
    }
    producer.flush();
  }

  /** The number of a record that a load has written. */
  public static long numberOf(String value) {
    return Long.parseLong(value.substring(0, value.indexOf('-')));
  }

  public long acknowledgedCount() {
    return acknowledgedCount.get();
  }

  /** Waits until so many more records have been acknowledged. */
  public void awaitAnother(long count) {
    long target = acknowledgedCount.get() + count;
    long deadline = System.nanoTime() + PATIENCE.toNanos();
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
      LockSupport.parkNanos(1_000_000);
    }
  }

  /** Waits until so many more records have been acknowledged in each partition. */
  public void awaitAnotherInEach(long count) {
    List<Long> targets = new ArrayList<>();
    for (int partition = 0; partition < partitions; partition++) {
      targets.add(acknowledged.get(partition).count() + count);
    }
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    for (int partition = 0; partition < partitions; partition++) {
      while (acknowledged.get(partition).count() < targets.get(partition)) {
        if (System.nanoTime() > deadline) {
          throw new AssertionError(
              "partition %d: only %d of %d records acknowledged in time; failures: %s"
                  .formatted(
                      partition,
                      acknowledged.get(partition).count(),
                      targets.get(partition),
                      failures.stream().limit(3).toList()));
        }
        LockSupport.parkNanos(1_000_000);
      }
    }
  }

  /** Numbers of the records that were acknowledged in a partition, by offset. */
  public Map<Long, Long> acknowledgedIn(int partition) {
    Acknowledged one = acknowledged.get(partition);
    synchronized (one) {
      return new TreeMap<>(one.numbers);
    }
  }

  /** From now on gaps are measured; one that is under way counts from its beginning. */
  public void measureGaps() {
    for (Acknowledged partition : acknowledged) {
      synchronized (partition) {
        partition.longestGapNanos = 0;
      }
    }
  }

  /** The longest time between two acknowledgements in one partition. */
  public Duration longestGap() {
    long longest = 0;
    for (Acknowledged partition : acknowledged) {
      synchronized (partition) {
        longest = Math.max(longest, partition.longestGapNanos);
      }
    }
    return Duration.ofNanos(longest);
  }

  /** How often the client had to send a batch again, which the application does not see. */
  public long retries() {
    return producer.metrics().values().stream()
        .filter(metric -> metric.metricName().name().equals("record-retry-total"))
        .filter(metric -> metric.metricName().group().equals("producer-metrics"))
        .mapToLong(metric -> (long) (double) metric.metricValue())
        .sum();
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

  /** Ends without waiting for anything: the test has failed already. */
  public void abandon() {
    stopped.set(true);
    producer.close(Duration.ZERO);
  }

  /**
   * Reads everything and compares: nothing acknowledged is missing, moved, doubled or out of order.
   */
  public void verify(String bootstrap) {
    assertThat(violations(bootstrap, List.of())).isEmpty();
  }

  /**
   * Reads everything and compares with what was acknowledged, and with what others have read
   * before.
   *
   * @param earlier what another reader has seen, by partition; or none
   * @return what is wrong, in words
   */
  public List<String> violations(String bootstrap, List<SeenRecords> earlier) {
    List<String> violations = new ArrayList<>();
    synchronized (failures) {
      failures.stream().limit(5).forEach(failure -> violations.add("send failed: " + failure));
    }
    for (int partition = 0; partition < partitions; partition++) {
      SeenRecords seen = readAll(bootstrap, partition);
      violations.addAll(violationsIn(partition, seen));
      if (!earlier.isEmpty()) {
        SeenRecords before = earlier.get(partition);
        violations.addAll(before.violations(Map.of(), ""));
        violations.addAll(seen.violations(before.numbers(), "read before"));
      }
    }
    return violations;
  }

  /** What is wrong with one partition: reads it and compares with what was acknowledged. */
  public List<String> violationsIn(int partition, String bootstrap) {
    return violationsIn(partition, readAll(bootstrap, partition));
  }

  private List<String> violationsIn(int partition, SeenRecords seen) {
    Acknowledged expected = acknowledged.get(partition);
    synchronized (expected) {
      List<String> violations = new ArrayList<>();
      violations.addAll(expected.violations.stream().limit(5).toList());
      violations.addAll(seen.violations(expected.numbers, "acknowledged"));
      return violations;
    }
  }

  private SeenRecords readAll(String bootstrap, int number) {
    TopicPartition partition = new TopicPartition(topic, number);
    SeenRecords records = new SeenRecords("final reader of " + partition);
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(
            Map.<String, Object>of("bootstrap.servers", bootstrap),
            new StringDeserializer(),
            new StringDeserializer())) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (consumer.position(partition) < end) {
        assertThat(System.nanoTime() - deadline).as("reading %s in time", partition).isNegative();
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
          records.see(record.offset(), numberOf(record.value()));
        }
      }
    }
    return records;
  }
}
