import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Latencies of the stock Java client in microseconds; Kafka's own tools round to milliseconds.
 *
 * <pre>
 *   single  one record at a time: sent, acknowledged, polled, then the next
 *   paced   a fixed rate over --producers connections, each record's latency counted from when it was due (so a stall
 *           counts for every record that it delays), to its acknowledgement and, with --read true, to its arrival
 * </pre>
 *
 * Prints one line of JSON.
 */
public final class Latency {

  private static final long LONGEST_NS = TimeUnit.MINUTES.toNanos(2);
  private static final int HEADER_BYTES = 16;

  private final Map<String, String> options = new HashMap<>();
  private final Histogram acknowledged = new ConcurrentHistogram(LONGEST_NS, 3);
  private final Histogram arrived = new ConcurrentHistogram(LONGEST_NS, 3);
  private final AtomicInteger failed = new AtomicInteger();

  public static void main(String[] arguments) throws Exception {
    Latency latency = new Latency();
    for (int i = 1; i + 1 < arguments.length; i += 2) {
      latency.options.put(arguments[i].substring(2), arguments[i + 1]);
    }
    switch (arguments[0]) {
      case "single" -> latency.single();
      case "paced" -> latency.paced();
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private int number(String name) {
    return Integer.parseInt(options.get(name));
  }

  private KafkaProducer<byte[], byte[]> producer() {
    Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", options.get("bootstrap"), "acks", options.get("acks")));
    if (options.containsKey("linger")) {
      settings.put("linger.ms", options.get("linger"));
    }
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  /** A consumer at the end of every partition of the topic. */
  private KafkaConsumer<byte[], byte[]> consumer() {
    KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", options.get("bootstrap"), "enable.auto.commit", "false"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
    String topic = options.get("topic");
    List<TopicPartition> partitions =
        consumer.partitionsFor(topic).stream().map(info -> new TopicPartition(topic, info.partition())).toList();
    consumer.assign(partitions);
    consumer.seekToEnd(partitions);
    partitions.forEach(consumer::position);
    return consumer;
  }

  /** A payload that begins with its number and the time it was due. */
  private byte[] payload(long number, long dueNs) {
    byte[] value = new byte[Math.max(HEADER_BYTES, number("size"))];
    ByteBuffer.wrap(value).putLong(number).putLong(dueNs);
    for (int i = HEADER_BYTES; i < value.length; i++) {
      value[i] = (byte) ('a' + (number * 31 + i * 7L) % 26);
    }
    return value;
  }

  private void single() throws Exception {
    int warmup = number("warmup");
    int total = number("count") + warmup;
    try (KafkaConsumer<byte[], byte[]> consumer = consumer();
        KafkaProducer<byte[], byte[]> producer = producer()) {
      for (int i = 0; i < total; i++) {
        byte[] value = payload(i, 0);
        long begun = System.nanoTime();
        producer.send(new ProducerRecord<>(options.get("topic"), value)).get();
        long acknowledgedNs = System.nanoTime() - begun;
        awaitRecord(consumer, i);
        if (i >= warmup) {
          acknowledged.recordValue(acknowledgedNs);
          arrived.recordValue(System.nanoTime() - begun);
        }
      }
    }
    print(total, 0, Map.of());
  }

  private static void awaitRecord(KafkaConsumer<byte[], byte[]> consumer, long number) {
    long deadline = System.nanoTime() + LONGEST_NS;
    while (System.nanoTime() < deadline) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(10))) {
        if (ByteBuffer.wrap(record.value()).getLong() != number) {
          throw new IllegalStateException("not the record that was sent");
        }
        return;
      }
    }
    throw new IllegalStateException("record " + number + " never came");
  }

  private void paced() throws Exception {
    int rate = number("rate");
    int skipped = rate * number("warmup");
    int total = skipped + rate * number("seconds");
    AtomicInteger read = new AtomicInteger();
    boolean reads = Boolean.parseBoolean(options.get("read"));
    CountDownLatch positioned = new CountDownLatch(1);
    Thread reader = Thread.ofPlatform().unstarted(() -> readAll(positioned, read, skipped, total));
    if (reads) {
      reader.start();
      positioned.await();
    }
    List<KafkaProducer<byte[], byte[]>> producers = new ArrayList<>();
    for (int i = 0; i < number("producers"); i++) {
      producers.add(producer());
    }
    String topic = options.get("topic");
    int partitions = 0;
    for (KafkaProducer<byte[], byte[]> producer : producers) {
      partitions = producer.partitionsFor(topic).size(); // connected before the clock starts
    }
    long begun = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(50);
    for (int i = 0; i < total; i++) {
      long due = begun + i * TimeUnit.SECONDS.toNanos(1) / rate;
      for (long left; (left = due - System.nanoTime()) > 0; ) {
        LockSupport.parkNanos(left);
      }
      int number = i;
      int partition = (i / producers.size() + i) % partitions;
      producers
          .get(i % producers.size())
          .send(
              new ProducerRecord<>(topic, partition, null, payload(number, due)),
              (metadata, failure) -> {
                if (failure != null) {
                  failed.incrementAndGet();
                } else if (number >= skipped) {
                  acknowledged.recordValue(Math.min(LONGEST_NS, System.nanoTime() - due));
                }
              });
    }
    producers.forEach(KafkaProducer::flush);
    double tookS = (System.nanoTime() - begun) / 1e9;
    if (reads) {
      reader.join(TimeUnit.SECONDS.toMillis(20));
    }
    producers.forEach(producer -> producer.close(Duration.ofSeconds(5)));
    print(total, reads ? total - read.get() : 0, Map.of("records_per_s", total / tookS));
    System.exit(0); // a reader that waits in vain must not keep the process
  }

  private void readAll(CountDownLatch positioned, AtomicInteger read, int skipped, int total) {
    try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
      consumer.poll(Duration.ofMillis(1));
      positioned.countDown();
      while (read.get() < total) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          ByteBuffer value = ByteBuffer.wrap(record.value());
          if (value.getLong() >= skipped) {
            arrived.recordValue(Math.min(LONGEST_NS, System.nanoTime() - value.getLong()));
          }
          read.incrementAndGet();
        }
      }
    }
  }

  private void print(int records, int missing, Map<String, Double> more) {
    StringBuilder line = new StringBuilder("{\"records\":" + records + ",\"failed\":" + failed.get() + ",\"missing\":" + missing);
    more.forEach((name, value) -> line.append(String.format(Locale.ROOT, ",\"%s\":%.1f", name, value)));
    append(line, "ack", acknowledged);
    append(line, "e2e", arrived);
    System.out.println(line.append('}'));
  }

  private static void append(StringBuilder line, String name, Histogram latencies) {
    if (latencies.getTotalCount() == 0) {
      return;
    }
    line.append(
        String.format(
            Locale.ROOT,
            ",\"%1$s_mean_us\":%2$.1f,\"%1$s_p50_us\":%3$.1f,\"%1$s_p99_us\":%4$.1f,\"%1$s_p999_us\":%5$.1f,\"%1$s_max_us\":%6$.1f",
            name,
            latencies.getMean() / 1e3,
            latencies.getValueAtPercentile(50) / 1e3,
            latencies.getValueAtPercentile(99) / 1e3,
            latencies.getValueAtPercentile(99.9) / 1e3,
            latencies.getMaxValue() / 1e3));
  }
}
