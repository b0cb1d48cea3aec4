package io.milena.wire.handler;

import io.milena.metadata.MetadataImage;
import io.milena.metadata.TopicImage;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchRequestData.ForgottenTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * Fetch: resolves the session (KIP-227) into the partitions to read, and leaves reading and waiting
 * to a {@link FetchRead}.
 */
public final class FetchHandler implements ApiHandler {

  private static final short FIRST_VERSION_WITH_TOPIC_IDS = 13;

  private final LeaderLookup lookup;
  private final FetchSessions sessions;
  private final int maxBytes;
  private final ClosestReplica closest;

  /**
   * @param maxBytes the node's {@code fetch.max.bytes}: no response is larger, but for one batch
   *     that is
   * @param closest where consumers are sent that another replica is closer to
   */
  public FetchHandler(
      LeaderLookup lookup, FetchSessions sessions, int maxBytes, ClosestReplica closest) {
    this.lookup = lookup;
    this.sessions = sessions;
    this.maxBytes = maxBytes;
    this.closest = closest;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.FETCH;
  }

  @Override
  public short minVersion() {
    return 4;
  }

  @Override
  public short maxVersion() {
    return 18;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    FetchRequestData request = (FetchRequestData) message;
    boolean usesTopicIds = context.apiVersion() >= FIRST_VERSION_WITH_TOPIC_IDS;
    if (request.sessionEpoch() != FetchSession.INITIAL_EPOCH
        && request.sessionEpoch() != FetchSession.FINAL_EPOCH) {
      return continueSession(context, request, usesTopicIds);
    }
    if (request.sessionId() != 0) {
      sessions.remove(request.sessionId());
    }
    LinkedHashMap<FetchPartitionState.Key, FetchPartitionState> partitions = new LinkedHashMap<>();
    addPartitions(request, usesTopicIds, partitions);
    FetchSession session =
        request.sessionEpoch() == FetchSession.INITIAL_EPOCH && !partitions.isEmpty()
            ? sessions.create(usesTopicIds, partitions)
            : null;
    return read(context, request, partitions, session, false);
  }

  private CompletionStage<FetchResponseData> continueSession(
      RequestContext context, FetchRequestData request, boolean usesTopicIds) {
    FetchSession session = sessions.find(request.sessionId());
    if (session == null) {
      return failed(Errors.FETCH_SESSION_ID_NOT_FOUND);
    }
    synchronized (session) {
      if (session.nextEpoch != request.sessionEpoch()) {
        return failed(Errors.INVALID_FETCH_SESSION_EPOCH);
      }
      if (session.usesTopicIds != usesTopicIds) {
        return failed(Errors.FETCH_SESSION_TOPIC_ID_ERROR);
      }
      for (ForgottenTopic topic : request.forgottenTopicsData()) {
        for (int partition : topic.partitions()) {
          session.partitions.remove(key(usesTopicIds, topic.topicId(), topic.topic(), partition));
        }
      }
      addPartitions(request, usesTopicIds, session.partitions);
      session.advanceEpoch();
      if (usesTopicIds) {
        resolveNames(session);
      }
    }
    return read(context, request, session.partitions, session, true);
  }

  private CompletionStage<FetchResponseData> read(
      RequestContext context,
      FetchRequestData request,
      SequencedMap<FetchPartitionState.Key, FetchPartitionState> partitions,
      @Nullable FetchSession session,
      boolean incremental) {
    FetchRead read =
        new FetchRead(
            lookup,
            closest,
            context,
            request,
            Math.min(request.maxBytes(), maxBytes),
            partitions,
            session,
            incremental);
    return read.start();
  }

  private void addPartitions(
      FetchRequestData request,
      boolean usesTopicIds,
      SequencedMap<FetchPartitionState.Key, FetchPartitionState> partitions) {
    MetadataImage image = lookup.image();
    for (FetchTopic topic : request.topics()) {
      String name = usesTopicIds ? nameOf(image, topic.topicId()) : topic.topic();
      for (FetchPartition partition : topic.partitions()) {
        FetchPartitionState.Key key =
            key(usesTopicIds, topic.topicId(), topic.topic(), partition.partition());
        FetchPartitionState state = partitions.get(key);
        if (state == null) {
          state = new FetchPartitionState(key, name);
          partitions.put(key, state);
        }
        state.update(partition);
      }
    }
  }

  /** A topic may have become known, or been deleted, since the session last named it. */
  private void resolveNames(FetchSession session) {
    MetadataImage image = lookup.image();
    for (FetchPartitionState state : session.partitions.values()) {
      state.topic = nameOf(image, state.key.topicId());
    }
  }

  private static @Nullable String nameOf(MetadataImage image, Uuid id) {
    TopicImage topic = image.topic(id);
    return topic == null ? null : topic.name();
  }

  private static FetchPartitionState.Key key(
      boolean usesTopicIds, Uuid topicId, String topic, int partition) {
    return usesTopicIds
        ? new FetchPartitionState.Key(topicId, "", partition)
        : new FetchPartitionState.Key(Uuid.ZERO_UUID, topic, partition);
  }

  private static CompletionStage<FetchResponseData> failed(Errors error) {
    return CompletableFuture.completedFuture(new FetchResponseData().setErrorCode(error.code()));
  }
}
