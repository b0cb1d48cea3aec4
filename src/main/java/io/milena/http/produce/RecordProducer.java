package io.milena.http.produce;

import io.milena.common.Clock;
import io.milena.http.HttpFailure;
import io.milena.http.HttpNode;
import io.milena.http.KafkaApis;
import io.milena.metadata.TopicImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/**
 * Writes records of HTTP clients: makes batches of them, a partition each, and has the handler of
 * Produce append them, acknowledged by all in-sync replicas.
 */
public final class RecordProducer {

  /** The last version that names topics instead of their ids. */
  private static final short VERSION = 12;

  private static final short ACKS_ALL = -1;
  private static final int TIMEOUT_MS = 30_000;

  /** A batch is begun anew past this size, so that many small records never make one too large. */
  private static final int BATCH_BYTES = 512 * 1024;

  private final HttpNode node;
  private final KafkaApis apis;
  private final Clock clock;
  private final AtomicInteger nextPartition = new AtomicInteger();

  public RecordProducer(HttpNode node, KafkaApis apis) {
    this.node = node;
    this.apis = apis;
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
      done = done.thenCompose(_ -> send(topic.name(), records, lots, batch, outcomes));
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

  private CompletionStage<Void> send(
      String topic,
      List<NewRecord> records,
      Map<Integer, Lot> lots,
      int round,
      Produced[] outcomes) {
    long now = clock.wallClockMs();
    TopicProduceData data = new TopicProduceData().setName(topic);
    lots.forEach((partition, lot) -> {
      if (round < lot.batches.size()) {
        SimpleRecord[] batch =
            lot.batches.get(round).stream()
                .map(index -> simple(records.get(index), now))
                .toArray(SimpleRecord[]::new);
        data.partitionData()
            .add(
                new PartitionProduceData()
                    .setIndex(partition)
                    .setRecords(MemoryRecords.withRecords(Compression.NONE, batch)));
      }
    });
    ProduceRequestData request =
        new ProduceRequestData().setAcks(ACKS_ALL).setTimeoutMs(TIMEOUT_MS);
    request.topicData().add(data);
    return apis.call(ApiKeys.PRODUCE, VERSION, request, ProduceResponseData.class)
        .handle((response, failure) -> {
          lots.forEach((partition, lot) -> {
            if (round < lot.batches.size()) {
              PartitionProduceResponse answer =
                  failure == null ? find(response, partition) : failed(partition, failure);
              fill(lot.batches.get(round), records, now, answer, outcomes);
            }
          });
          return null;
        });
  }

  private static SimpleRecord simple(NewRecord record, long now) {
    return new SimpleRecord(
        record.timestampMs() == null ? now : record.timestampMs(),
        record.key(),
        record.value(),
        record.headers().toArray(Header[]::new));
  }

  private static PartitionProduceResponse find(ProduceResponseData response, int partition) {
    return response.responses().stream()
        .flatMap(topic -> topic.partitionResponses().stream())
        .filter(each -> each.index() == partition)
        .findFirst()
        .orElseThrow();
  }

  private static PartitionProduceResponse failed(int partition, Throwable failure) {
    return new PartitionProduceResponse()
        .setIndex(partition)
        .setErrorCode(Errors.forException(failure).code());
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
