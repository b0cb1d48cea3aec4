package io.milena.wire.handler;

import io.milena.log.AppendOrigin;
import io.milena.log.AppendOutcome;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import io.milena.replication.Replica;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.BatchIndexAndErrorMessage;
import org.apache.kafka.common.message.ProduceResponseData.LeaderIdAndEpoch;
import org.apache.kafka.common.message.ProduceResponseData.NodeEndpoint;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.message.ProduceResponseData.TopicProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Produce: hands each partition's batches to the replica that leads it and answers when all of them
 * have been decided. Batches go to the log as the bytes they came as. From version 10 on a client
 * that asked the wrong node is told the right one (KIP-951).
 */
public final class ProduceHandler implements ApiHandler {

  private static final Logger LOG = LoggerFactory.getLogger(ProduceHandler.class);
  private static final short FIRST_VERSION_WITH_TOPIC_IDS = 13;
  private static final short FIRST_VERSION_WITH_LEADER_HINTS = 10;
  private static final short FIRST_VERSION_WITH_ZSTD = 7;
  private static final int UNKNOWN_OFFSET = -1;

  /**
   * Where a record batch of format 2 has its attributes, and what their three lowest bits are for
   * zstd.
   */
  private static final int ATTRIBUTES_POSITION = 21;

  private static final int COMPRESSION_MASK = 0x07;
  private static final int ZSTD = 4;

  private final LeaderLookup lookup;

  public ProduceHandler(LeaderLookup lookup) {
    this.lookup = lookup;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.PRODUCE;
  }

  @Override
  public short minVersion() {
    return 3;
  }

  @Override
  public short maxVersion() {
    return 13;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    ProduceRequestData request = (ProduceRequestData) message;
    Answer answer = new Answer(context, request.acks());
    boolean acksValid = request.acks() >= -1 && request.acks() <= 1;
    for (TopicProduceData topic : request.topicData()) {
      TopicProduceResponse topicResponse = answer.addTopic(topic);
      String name = topicName(context.apiVersion(), topic);
      if (name != null && topicResponse.topicId().equals(Uuid.ZERO_UUID)) {
        topicResponse.setName(name);
      }
      for (PartitionProduceData partition : topic.partitionData()) {
        PartitionProduceResponse response =
            new PartitionProduceResponse()
                .setIndex(partition.index())
                .setBaseOffset(UNKNOWN_OFFSET)
                .setLogAppendTimeMs(-1)
                .setLogStartOffset(UNKNOWN_OFFSET);
        topicResponse.partitionResponses().add(response);
        if (!acksValid) {
          response
              .setErrorCode(Errors.INVALID_REQUIRED_ACKS.code())
              .setErrorMessage("acks is " + request.acks() + ": it must be -1, 0 or 1");
        } else if (name == null) {
          response.setErrorCode(Errors.UNKNOWN_TOPIC_ID.code());
        } else {
          append(context, request, name, partition, response, answer);
        }
      }
    }
    return answer.whenDecided();
  }

  private @Nullable String topicName(short version, TopicProduceData topic) {
    if (version < FIRST_VERSION_WITH_TOPIC_IDS) {
      return topic.name();
    }
    TopicImage image = lookup.topic(topic.topicId());
    return image == null ? null : image.name();
  }

  private void append(
      RequestContext context,
      ProduceRequestData request,
      String topic,
      PartitionProduceData partition,
      PartitionProduceResponse response,
      Answer answer) {
    if (isInternal(topic) && !context.clientId().equals("__admin_client")) {
      response
          .setErrorCode(Errors.INVALID_TOPIC_EXCEPTION.code())
          .setErrorMessage("topic " + topic + " is internal: clients may read it, not write it");
      return;
    }
    if (!(partition.records() instanceof MemoryRecords records)) {
      response
          .setErrorCode(Errors.INVALID_RECORD.code())
          .setErrorMessage("no record batch for partition " + topic + "-" + partition.index());
      return;
    }
    if (context.apiVersion() < FIRST_VERSION_WITH_ZSTD && compression(records) == ZSTD) {
      response
          .setErrorCode(Errors.UNSUPPORTED_COMPRESSION_TYPE.code())
          .setErrorMessage(
              "zstd needs Produce version "
                  + FIRST_VERSION_WITH_ZSTD
                  + " or later: the client is too old for it");
      return;
    }
    Replica replica = lookup.find(topic, partition.index());
    if (replica == null) {
      fillError(
          context,
          topic,
          response,
          lookup.check(topic, partition.index(), null, null, -1),
          null,
          answer);
      return;
    }
    Append append = new Append(context, topic, replica, response, answer);
    answer.oneMorePending();
    replica
        .append(records, -1, AppendOrigin.CLIENT, request.acks(), request.timeoutMs(), append)
        .whenComplete(append);
  }

  /** One partition's batches on their way; run once they are written and only waited for. */
  private final class Append implements Runnable, BiConsumer<AppendOutcome, Throwable> {
    private final RequestContext context;
    private final String topic;
    private final Replica replica;
    private final PartitionProduceResponse response;
    private final Answer answer;
    private boolean written;

    Append(
        RequestContext context,
        String topic,
        Replica replica,
        PartitionProduceResponse response,
        Answer answer) {
      this.context = context;
      this.topic = topic;
      this.replica = replica;
      this.response = response;
      this.answer = answer;
    }

    @Override
    public void run() {
      written = true;
      answer.oneLessUnwritten();
    }

    @Override
    public void accept(@Nullable AppendOutcome outcome, @Nullable Throwable failure) {
      if (!written) {
        answer.oneLessUnwritten();
      }
      try {
        if (outcome == null) {
          response.setErrorCode(Errors.forException(failure).code());
        } else {
          fill(context, topic, replica, response, outcome, answer);
        }
      } catch (RuntimeException broken) {
        LOG.error("answering Produce to {}-{} failed", topic, response.index(), broken);
        response.setErrorCode(Errors.UNKNOWN_SERVER_ERROR.code());
      } finally {
        answer.oneLessPending();
      }
    }
  }

  /**
   * Id of the first batch's compression; 0 for bytes too short to say, which the log will refuse.
   */
  private static int compression(MemoryRecords records) {
    ByteBuffer bytes = records.buffer();
    return bytes.remaining() < ATTRIBUTES_POSITION + Short.BYTES
        ? 0
        : bytes.getShort(bytes.position() + ATTRIBUTES_POSITION) & COMPRESSION_MASK;
  }

  private void fill(
      RequestContext context,
      String topic,
      Replica replica,
      PartitionProduceResponse response,
      AppendOutcome outcome,
      Answer answer) {
    switch (outcome) {
      case AppendOutcome.Appended(long baseOffset, long _, long logAppendTimeMs) ->
          response
              .setBaseOffset(baseOffset)
              .setLogAppendTimeMs(logAppendTimeMs)
              .setLogStartOffset(replica.view().log().logStartOffset());
      case AppendOutcome.Duplicate(long baseOffset, long _, long logAppendTimeMs) ->
          response
              .setBaseOffset(baseOffset)
              .setLogAppendTimeMs(logAppendTimeMs)
              .setLogStartOffset(replica.view().log().logStartOffset());
      case AppendOutcome.Rejected rejected -> {
        fillError(context, topic, response, rejected.error(), rejected.message(), answer);
        if (!rejected.records().isEmpty()) {
          List<BatchIndexAndErrorMessage> faults = new ArrayList<>(rejected.records().size());
          for (AppendOutcome.RecordFault fault : rejected.records()) {
            faults.add(
                new BatchIndexAndErrorMessage()
                    .setBatchIndex(fault.batchIndex())
                    .setBatchIndexErrorMessage(fault.message()));
          }
          response.setRecordErrors(faults);
        }
      }
    }
  }

  private void fillError(
      RequestContext context,
      String topic,
      PartitionProduceResponse response,
      Errors error,
      @Nullable String errorMessage,
      Answer answer) {
    response.setErrorCode(error.code()).setErrorMessage(errorMessage);
    if (context.apiVersion() >= FIRST_VERSION_WITH_LEADER_HINTS
        && (error == Errors.NOT_LEADER_OR_FOLLOWER || error == Errors.FENCED_LEADER_EPOCH)) {
      ReplicaSetImage set = lookup.leadership(topic, response.index());
      if (set != null) {
        response.setCurrentLeader(
            new LeaderIdAndEpoch().setLeaderId(set.leader()).setLeaderEpoch(set.leaderEpoch()));
        answer.hint(set.leader());
      }
    }
  }

  private boolean isInternal(String topic) {
    if (!topic.startsWith("__")) {
      return false;
    }
    TopicImage image = lookup.image().topic(topic);
    return image != null && image.internal();
  }

  /** The response as it comes together; the last partition to be decided completes it. */
  private final class Answer {
    private final RequestContext context;
    private final short acks;
    private final ProduceResponseData response = new ProduceResponseData();
    private final CompletableFuture<@Nullable ProduceResponseData> decided =
        new CompletableFuture<>();
    private final AtomicInteger pending = new AtomicInteger(1);

    /** Partitions whose bytes are still needed, and one while there may be more. */
    private final AtomicInteger unwritten = new AtomicInteger(1);

    Answer(RequestContext context, short acks) {
      this.context = context;
      this.acks = acks;
    }

    TopicProduceResponse addTopic(TopicProduceData topic) {
      TopicProduceResponse topicResponse =
          new TopicProduceResponse().setName(topic.name()).setTopicId(topic.topicId());
      topicResponse.setPartitionResponses(new ArrayList<>(topic.partitionData().size()));
      response.responses().mustAdd(topicResponse);
      return topicResponse;
    }

    void oneMorePending() {
      pending.incrementAndGet();
      unwritten.incrementAndGet();
    }

    void oneLessUnwritten() {
      if (unwritten.decrementAndGet() == 0) {
        context.releaseRequestBytes();
      }
    }

    void oneLessPending() {
      if (pending.decrementAndGet() == 0) {
        finish();
      }
    }

    CompletionStage<@Nullable ProduceResponseData> whenDecided() {
      oneLessUnwritten();
      oneLessPending();
      return decided;
    }

    void hint(int leader) {
      LeaderLookup.Address address = lookup.address(leader, context.listenerName());
      if (address == null) {
        return;
      }
      synchronized (response) {
        if (response.nodeEndpoints().find(leader) == null) {
          response
              .nodeEndpoints()
              .add(
                  new NodeEndpoint()
                      .setNodeId(leader)
                      .setHost(address.host())
                      .setPort(address.port())
                      .setRack(address.rack()));
        }
      }
    }

    private void finish() {
      if (acks != 0) {
        decided.complete(response);
        return;
      }
      // Nobody waits for an answer: closing the connection is the only way to say that something
      // went wrong.
      for (TopicProduceResponse topic : response.responses()) {
        for (PartitionProduceResponse partition : topic.partitionResponses()) {
          if (partition.errorCode() != Errors.NONE.code()) {
            context.closeConnection(
                "Produce with acks=0 to "
                    + topic.name()
                    + "-"
                    + partition.index()
                    + " failed with "
                    + Errors.forCode(partition.errorCode()));
          }
        }
      }
      decided.complete(null);
    }
  }
}
