package io.milena.faults;

import io.milena.SeenRecords;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/**
 * Asks for the latest offsets again and again while faults happen: none may be lower than one seen
 * before (KIP-207).
 */
final class HighWatermarkProbe implements AutoCloseable {

  private static final long INTERVAL_MS = 50;

  private static final Comparator<TopicPartition> ORDER =
      Comparator.comparing(TopicPartition::partition);

  private final Admin admin;
  private final Map<TopicPartition, SeenRecords> seen = new TreeMap<>(ORDER);
  private final Thread thread = new Thread(this::probe, "high-watermark-probe");
  private volatile boolean stopped;

  HighWatermarkProbe(Admin admin, String topic, int partitionCount) {
    this.admin = admin;
    for (int i = 0; i < partitionCount; i++) {
      TopicPartition partition = new TopicPartition(topic, i);
      seen.put(partition, new SeenRecords("latest offset of " + partition));
    }
    thread.start();
  }

  private void probe() {
    Map<TopicPartition, OffsetSpec> question = new HashMap<>();
    seen.keySet().forEach(partition -> question.put(partition, OffsetSpec.latest()));
    try {
      while (!stopped) {
        ask(question);
        TimeUnit.MILLISECONDS.sleep(INTERVAL_MS);
      }
    } catch (InterruptedException ended) {
      // Nothing is left to ask.
    }
  }

  private void ask(Map<TopicPartition, OffsetSpec> question) throws InterruptedException {
    ListOffsetsResult answers = admin.listOffsets(question);
    seen.forEach((partition, records) -> {
      try {
        records.seeHighWatermark(
            answers.partitionResult(partition).get(30, TimeUnit.SECONDS).offset());
      } catch (ExecutionException | TimeoutException passing) {
        // Nobody knows right now: that is what the faults are for.
      } catch (InterruptedException ended) {
        Thread.currentThread().interrupt();
      }
    });
  }

  List<String> violations() {
    return seen.values().stream()
        .flatMap(records -> records.violations(Map.of(), "").stream())
        .toList();
  }

  @Override
  public void close() throws InterruptedException {
    stopped = true;
    thread.join();
  }
}
