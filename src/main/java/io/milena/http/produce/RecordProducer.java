package io.milena.http.produce;

import io.milena.common.Clock;
import io.milena.http.HttpFailure;
import io.milena.http.HttpNode;
import io.milena.http.KafkaApis;
import io.milena.metadata.TopicImage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.jspecify.annotations.Nullable;

/**
 * Writes records of HTTP clients: makes batches of them, a partition each, and has the leaders of
 * the partitions append them, acknowledged by all in-sync replicas. While a leader is replaced they
 * are sent again, as an idempotent producer does it: each is in the log once.
 */
public final class RecordProducer {

  /** The last version that names topics instead of their ids. */
  private static final short VERSION = 12;

  private static final short ACKS_ALL = -1;
  private static final int TIMEOUT_MS = 30_000;

  /** How long a batch is sent again while its partition has no leader. */
  private static final Duration RETRY = Duration.ofSeconds(30);

  private static final Duration PAUSE = Duration.ofMillis(50);

  /** A batch is begun anew past this size, so that many small records never make one too large. */
  private static final int BATCH_BYTES = 512 * 1024;

  private final HttpNode node;
  private final KafkaApis apis;
  private final ProducerLanes lanes;
  private final Clock clock;
  private final AtomicInteger nextPartition = new AtomicInteger();

  public RecordProducer(HttpNode node, KafkaApis apis) {
    this.node = node;
    this.apis = apis;
    this.lanes = new ProducerLanes(apis);
    this.clock = node.clock();
  }

  /**
   * The topic, which has to be there.
   *
   * @param code {@code error_code} of the answer when it is not
   */
  public TopicImage topic(String name, int code) {
    TopicImage topic = node.metadata().image().topic(name);
    if (topic == null) {
      throw new HttpFailure(404, code, "Topic not found: " + name);
    }
    return topic;
  }

  /** Batches of one partition, and which records are in them. */
  private static final class Lot {
    final List<List<Integer>> batches = new ArrayList<>();
    int bytes = BATCH_BYTES;

    void add(int index, int sizeBytes) {
      if (bytes + sizeBytes > BATCH_BYTES) {
        batches.add(new ArrayList<>());
        bytes = 0;
      }
      bytes += sizeBytes;
      batches.getLast().add(index);
    }
  }

  /**
   * Writes records; those of a partition in their order.
   *
   * @return what became of each, in their order; never fails
   */
  public CompletionStage<List<Produced>> produce(TopicImage topic, List<NewRecord> records) {
    Produced[] outcomes = new Produced[records.size()];
    int partitions = topic.partitions().size();
    int any = Math.floorMod(nextPartition.getAndIncrement(), partitions);
    Map<Integer, Lot> lots = new TreeMap<>();
    for (int i = 0; i < records.size(); i++) {
      NewRecord record = records.get(i);
      int partition = partition(record, partitions, any);
      if (partition < 0 || partition >= partitions) {
        outcomes[i] =
            Produced.refused(
                partition,
                Errors.UNKNOWN_TOPIC_OR_PARTITION,
                "Partition not found: topic %s has partitions 0 to %d"
                    .formatted(topic.name(), partitions - 1));
      } else {
        lots.computeIfAbsent(partition, _ -> new Lot()).add(i, record.sizeBytes());
      }
    }
    int rounds = lots.values().stream().mapToInt(lot -> lot.batches.size()).max().orElse(0);
    CompletionStage<Void> done = CompletableFuture.completedFuture(null);
    for (int round = 0; round < rounds; round++) {
      int batch = round;
      // One after the other: what is behind an unacknowledged batch keeps its place.
      done = done.thenCompose(_ -> send(topic, records, lots, batch, outcomes));
    }
    return done.thenApply(_ -> Arrays.asList(outcomes));
  }

  private static int partition(NewRecord record, int partitions, int any) {
    if (record.partition() != null) {
      return record.partition();
    }
    return record.key() == null
        ? any
        : BuiltInPartitioner.partitionForKey(record.key(), partitions);
  }

  /** One batch of a partition on its way. */
  private static final class Sending {
    final List<Integer> indexes;
    final ProducerLanes.Lane lane;
    final MemoryRecords batch;
    PartitionProduceResponse answer;

    Sending(
        List<Integer> indexes,
        ProducerLanes.Lane lane,
        MemoryRecords batch,
        PartitionProduceResponse answer) {
      this.indexes = indexes;
      this.lane = lane;
      this.batch = batch;
      this.answer = answer;
    }
  }

  /** Sends the batches of one round, at most one of each partition. */
  private CompletionStage<Void> send(
      TopicImage topic,
      List<NewRecord> records,
      Map<Integer, Lot> lots,
      int round,
      Produced[] outcomes) {
    long now = clock.wallClockMs();
    Map<Integer, Sending> sendings = new TreeMap<>();
    CompletionStage<?> prepared = CompletableFuture.completedFuture(null);
    for (Map.Entry<Integer, Lot> each : lots.entrySet()) {
      if (round < each.getValue().batches.size()) {
        int partition = each.getKey();
        List<Integer> indexes = each.getValue().batches.get(round);
        prepared =
            prepared.thenCombine(
                lanes.take(topic.id(), partition),
                (_, lane) ->
                    sendings.put(partition, sending(partition, indexes, lane, records, now)));
      }
    }
    long deadlineNanos = clock.monotonicNanos() + RETRY.toNanos();
    return prepared
        .thenCompose(_ -> send(topic.name(), sendings, deadlineNanos))
        .handle((_, failure) -> {
          lots.forEach((partition, lot) -> {
            if (round < lot.batches.size()) {
              Sending sent = sendings.get(partition);
              PartitionProduceResponse answer =
                  sent == null || failure != null ? failed(partition, failure) : sent.answer;
              fill(lot.batches.get(round), records, now, answer, outcomes);
              if (sent != null) {
                settle(sent);
              }
            }
          });
          return null;
        });
  }

  private static Sending sending(
      int partition,
      List<Integer> indexes,
      ProducerLanes.Lane lane,
      List<NewRecord> records,
      long now) {
    SimpleRecord[] batch =
        indexes.stream().map(index -> simple(records.get(index), now)).toArray(SimpleRecord[]::new);
    return new Sending(
        indexes,
        lane,
        MemoryRecords.withIdempotentRecords(
            Compression.NONE, lane.producerId, lane.producerEpoch, lane.sequence, batch),
        failed(partition, Errors.LEADER_NOT_AVAILABLE.exception()));
  }

  /** A lane goes on where its numbers stand for certain; otherwise another takes its place. */
  private void settle(Sending sent) {
    switch (Errors.forCode(sent.answer.errorCode())) {
      case NONE -> {
        sent.lane.sequence =
            DefaultRecordBatch.incrementSequence(sent.lane.sequence, sent.indexes.size());
        lanes.giveBack(sent.lane);
      }
      // Refused for what they are, before anything was written.
      case MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, INVALID_RECORD, INVALID_TIMESTAMP ->
          lanes.giveBack(sent.lane);
      default -> {}
    }
  }

  /** Sends each to the node that leads its partition, and again while another takes over. */
  private CompletionStage<Void> send(
      String topic, Map<Integer, Sending> sendings, long deadlineNanos) {
    Map<Integer, ProduceRequestData> requests = new HashMap<>();
    sendings.forEach((partition, sending) ->
        apis.leader(new TopicPartition(topic, partition))
            .ifPresent(leader ->
                requests
                    .computeIfAbsent(leader, _ -> requestTo(topic))
                    .topicData()
                    .find(topic, Uuid.ZERO_UUID)
                    .partitionData()
                    .add(
                        new PartitionProduceData().setIndex(partition).setRecords(sending.batch))));
    CompletionStage<?> all = CompletableFuture.completedFuture(null);
    for (Map.Entry<Integer, ProduceRequestData> each : requests.entrySet()) {
      all = all.thenCombine(ask(each.getKey(), each.getValue(), sendings), (_, _) -> "");
    }
    return all.thenCompose(_ -> {
      Map<Integer, Sending> again = new TreeMap<>();
      sendings.forEach((partition, sending) -> {
        if (isLeaderGone(Errors.forCode(sending.answer.errorCode()))
            && apis.isTopic(sending.lane.topicId())) {
          again.put(partition, sending);
        }
      });
      CompletableFuture<Void> done = new CompletableFuture<>();
      if (again.isEmpty() || clock.monotonicNanos() - deadlineNanos > 0) {
        done.complete(null);
      } else {
        apis.after(
            PAUSE,
            () ->
                send(topic, again, deadlineNanos)
                    .whenComplete((_, failure) -> {
                      if (failure == null) {
                        done.complete(null);
                      } else {
                        done.completeExceptionally(failure);
                      }
                    }));
      }
      return done;
    });
  }

  private static ProduceRequestData requestTo(String topic) {
    ProduceRequestData request =
        new ProduceRequestData().setAcks(ACKS_ALL).setTimeoutMs(TIMEOUT_MS);
    request.topicData().add(new TopicProduceData().setName(topic));
    return request;
  }

  private CompletionStage<?> ask(
      int leader, ProduceRequestData request, Map<Integer, Sending> sendings) {
    return apis.callAt(leader, ApiKeys.PRODUCE, VERSION, request, ProduceResponseData.class)
        .handle((response, failure) -> {
          if (failure == null) {
            response
                .responses()
                .forEach(topic ->
                    topic
                        .partitionResponses()
                        .forEach(answer -> take(sendings, answer.index(), answer)));
          } else {
            request
                .topicData()
                .forEach(topic ->
                    topic
                        .partitionData()
                        .forEach(
                            data -> take(sendings, data.index(), failed(data.index(), failure))));
          }
          return "";
        });
  }

  private static void take(
      Map<Integer, Sending> sendings, int partition, PartitionProduceResponse answer) {
    Sending sending = sendings.get(partition);
    if (sending != null) {
      sending.answer = answer;
    }
  }

  /** Whether another leader may take the batch, once there is one. */
  private static boolean isLeaderGone(Errors error) {
    return switch (error) {
      case NOT_LEADER_OR_FOLLOWER,
          LEADER_NOT_AVAILABLE,
          NETWORK_EXCEPTION,
          FENCED_LEADER_EPOCH,
          UNKNOWN_TOPIC_OR_PARTITION ->
          true;
      default -> false;
    };
  }

  private static SimpleRecord simple(NewRecord record, long now) {
    return new SimpleRecord(
        record.timestampMs() == null ? now : record.timestampMs(),
        record.key(),
        record.value(),
        record.headers().toArray(Header[]::new));
  }

  private static PartitionProduceResponse failed(int partition, @Nullable Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return new PartitionProduceResponse()
        .setIndex(partition)
        .setErrorCode(Errors.forException(cause).code())
        .setErrorMessage(cause == null ? null : cause.getMessage());
  }

  private static void fill(
      List<Integer> indexes,
      List<NewRecord> records,
      long now,
      PartitionProduceResponse answer,
      Produced[] outcomes) {
    Errors error = Errors.forCode(answer.errorCode());
    for (int i = 0; i < indexes.size(); i++) {
      int index = indexes.get(i);
      if (error != Errors.NONE) {
        String message = answer.errorMessage() == null ? error.message() : answer.errorMessage();
        outcomes[index] = Produced.refused(answer.index(), error, message);
        continue;
      }
      Long own = records.get(index).timestampMs();
      long timestamp =
          answer.logAppendTimeMs() >= 0 ? answer.logAppendTimeMs() : own == null ? now : own;
      outcomes[index] =
          new Produced(answer.index(), answer.baseOffset() + i, timestamp, Errors.NONE, "");
    }
  }
}
