package io.milena.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;

/** Reads records and writes them out until the end, a count, or an interruption. */
final class ConsumeLoop {

  private static final Duration POLL_TIMEOUT = Duration.ofMillis(250);

  /** Whoever reads the output has closed it. */
  static final class ReaderGone extends RuntimeException {

    ReaderGone(IOException cause) {
      super(cause);
    }
  }

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Duration timeout;
  private final RecordFormat format;
  private final OutputStream out;
  private final Consumer<String> remarks;
  private final long countMax;
  private final boolean isFollowing;
  private final Map<TopicPartition, OffsetAndMetadata> printed = new HashMap<>();
  private long count;

  ConsumeLoop(
      KafkaConsumer<byte[], byte[]> consumer,
      Duration timeout,
      RecordFormat format,
      OutputStream out,
      Consumer<String> remarks,
      long countMax,
      boolean isFollowing) {
    this.consumer = consumer;
    this.timeout = timeout;
    this.format = format;
    this.out = out;
    this.remarks = remarks;
    this.countMax = countMax;
    this.isFollowing = isFollowing;
  }

  /**
   * Reads partitions directly.
   *
   * @param only the partitions to read; empty for all
   * @return how many records were written
   */
  long read(String topic, List<Integer> only, StartOffset start) throws IOException {
    List<TopicPartition> partitions = ReadPlan.partitions(consumer, topic, only, timeout);
    consumer.assign(partitions);
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, timeout);
    Map<TopicPartition, Long> found = new HashMap<>();
    if (start instanceof StartOffset.AtTime time) {
      Map<TopicPartition, Long> question = new HashMap<>();
      partitions.forEach(partition -> question.put(partition, time.timestampMs()));
      consumer
          .offsetsForTimes(question, timeout)
          .forEach(
              (partition, answer) -> found.put(partition, answer == null ? -1L : answer.offset()));
    }
    Map<TopicPartition, Long> starts = consumer.beginningOffsets(partitions, timeout);
    if (start instanceof StartOffset.At at) {
      ReadPlan.checkHeld(at, starts, ends).forEach(remarks);
    }
    start.resolve(starts, ends, found).forEach(consumer::seek);
    while (count < countMax && (isFollowing || !ReadPlan.isAtEnd(consumer, ends, timeout))) {
      write(consumer.poll(POLL_TIMEOUT));
    }
    return count;
  }

  /** Reads as a member of the consumer's group and commits what was written. */
  long readInGroup(String topic) throws IOException {
    Map<TopicPartition, Long> ends = new HashMap<>();
    ReadPlan.partitions(
        consumer, topic, List.of(),
        timeout); // an unknown topic is an error, not a wait without end
    consumer.subscribe(
        List.of(topic),
        new ConsumerRebalanceListener() {
          @Override
          public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
            if (!isFollowing) {
              ends.putAll(consumer.endOffsets(assigned, timeout));
            }
          }

          @Override
          public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
            commit();
            ends.keySet().removeAll(Set.copyOf(revoked));
            printed.keySet().removeAll(Set.copyOf(revoked));
          }

          @Override
          public void onPartitionsLost(Collection<TopicPartition> lost) {
            ends.keySet().removeAll(Set.copyOf(lost));
            printed.keySet().removeAll(Set.copyOf(lost));
          }
        });
    boolean isAssigned = false;
    long deadline = System.nanoTime() + timeout.toNanos();
    try {
      while (count < countMax
          && (isFollowing || !isAssigned || !ReadPlan.isAtEnd(consumer, ends, timeout))) {
        write(consumer.poll(POLL_TIMEOUT));
        commit();
        isAssigned = !consumer.assignment().isEmpty();
        if (!isFollowing && !isAssigned && System.nanoTime() > deadline) {
          throw new CliException(
              ExitCode.UNREACHABLE,
              "the group gave this member no partition of '%s' within %d s: other members may hold all of them"
                  .formatted(topic, timeout.toSeconds()));
        }
      }
    } catch (WakeupException e) {
      commit();
      throw e;
    }
    return count;
  }

  private void write(ConsumerRecords<byte[], byte[]> records) throws IOException {
    try {
      for (ConsumerRecord<byte[], byte[]> record : records) {
        if (count == countMax) {
          break;
        }
        format.write(record, out);
        count++;
        printed.put(
            new TopicPartition(record.topic(), record.partition()),
            new OffsetAndMetadata(record.offset() + 1, record.leaderEpoch(), ""));
      }
      out.flush();
    } catch (IOException e) {
      String message = String.valueOf(e.getMessage());
      if (message.contains("Broken pipe")) {
        throw new ReaderGone(e);
      }
      throw e;
    }
  }

  /** Commits no further than what was written. */
  private void commit() {
    if (!printed.isEmpty()) {
      consumer.commitSync(Map.copyOf(printed), timeout);
      printed.clear();
    }
  }
}
