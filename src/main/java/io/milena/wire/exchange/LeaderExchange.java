package io.milena.wire.exchange;

import io.milena.common.Clock;
import io.milena.metadata.MetadataDelta;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import io.milena.metadata.TopicImage;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaDirectory;
import io.milena.wire.handler.ConnectionContext;
import io.milena.wire.handler.MalformedFrameException;
import io.milena.wire.handler.PrivateAnswer;
import io.milena.wire.handler.PrivateApi;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * The leaders' side of the exchange: serves the nodes that follow partitions led here, one {@link
 * LeaderSession} for each connection. Subscribe it to metadata images behind the replicas. Any
 * thread.
 */
public final class LeaderExchange implements MetadataService.MetadataListener {

  private static final CompletionStage<PrivateAnswer> NO_ANSWER =
      CompletableFuture.completedFuture(PrivateAnswer.of(new byte[0]));

  private final int nodeId;
  private final Uuid clusterId;
  private final MetadataService metadata;
  private final ReplicaDirectory replicas;
  private final ReplicationThrottle throttle;
  private final Clock clock;
  private final Set<LeaderSession> sessions = ConcurrentHashMap.newKeySet();

  public LeaderExchange(
      int nodeId,
      Uuid clusterId,
      MetadataService metadata,
      ReplicaDirectory replicas,
      ReplicationThrottle throttle,
      Clock clock) {
    this.nodeId = nodeId;
    this.clusterId = clusterId;
    this.metadata = metadata;
    this.replicas = replicas;
    this.throttle = throttle;
    this.clock = clock;
  }

  /** The APIs to be served on the Kafka listeners. */
  public List<PrivateApi> apis() {
    return List.of(
        new SessionApi(PrivateApi.EXCHANGE, "EXCHANGE", false, LeaderSession::onPoll),
        new SessionApi(
            PrivateApi.EXCHANGE_UPDATE,
            "EXCHANGE_UPDATE",
            true,
            (session, body) -> {
              session.onUpdate(body);
              return NO_ANSWER;
            }));
  }

  /** Sessions that are open. */
  public int sessionCount() {
    return sessions.size();
  }

  @Override
  public void onImage(MetadataDelta delta, MetadataImage image) {
    if (!delta.topics().isEmpty()) {
      sessions.forEach(session -> session.topicsChanged(delta.topics()));
    }
    if (!delta.nodes().isEmpty()) {
      sessions.forEach(LeaderSession::nodesChanged);
    }
  }

  ReplicationThrottle throttle() {
    return throttle;
  }

  Clock clock() {
    return clock;
  }

  void closed(LeaderSession session) {
    sessions.remove(session);
  }

  /** The replica of a partition on this node, or null when there is none (yet, or any more). */
  @Nullable Replica find(Uuid topicId, int partition) {
    TopicImage topic = metadata.image().topic(topicId);
    if (topic == null) {
      return null;
    }
    return replicas.find(topicId, new TopicPartition(topic.name(), partition));
  }

  /** Why a node is refused that says hello; NONE when it is not. */
  Errors checkHello(Uuid askedClusterId, int askedNodeId) {
    if (!askedClusterId.equals(clusterId)) {
      return Errors.INCONSISTENT_CLUSTER_ID;
    }
    return askedNodeId == nodeId ? Errors.NONE : Errors.NOT_LEADER_OR_FOLLOWER;
  }

  /**
   * Why a node is refused: it must be registered, and in this very life. An image that lags behind
   * the registration refuses it as well; the node tries again.
   */
  Errors checkRegistration(int askingNodeId, long nodeEpoch) {
    NodeImage node = metadata.image().nodes().get(askingNodeId);
    if (node == null) {
      return Errors.BROKER_ID_NOT_REGISTERED;
    }
    return node.nodeEpoch() == nodeEpoch ? Errors.NONE : Errors.STALE_BROKER_EPOCH;
  }

  private LeaderSession session(ConnectionContext context) {
    if (context.attachment() instanceof LeaderSession present) {
      return present;
    }
    LeaderSession session = new LeaderSession(this, context);
    context.attach(session);
    sessions.add(session);
    return session;
  }

  private interface Serving {
    CompletionStage<? extends PrivateAnswer> serve(LeaderSession session, ByteBuffer body)
        throws MalformedFrameException;
  }

  private final class SessionApi implements PrivateApi {
    private final short key;
    private final String name;
    private final boolean isOneWay;
    private final Serving serving;

    SessionApi(short key, String name, boolean isOneWay, Serving serving) {
      this.key = key;
      this.name = name;
      this.isOneWay = isOneWay;
      this.serving = serving;
    }

    @Override
    public short key() {
      return key;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public short minVersion() {
      return ExchangeFormat.VERSION;
    }

    @Override
    public short maxVersion() {
      return ExchangeFormat.VERSION;
    }

    @Override
    public boolean isOneWay() {
      return isOneWay;
    }

    @Override
    public CompletionStage<? extends PrivateAnswer> handle(
        ConnectionContext context, short version, ByteBuffer body) throws MalformedFrameException {
      return serving.serve(session(context), body);
    }
  }
}
