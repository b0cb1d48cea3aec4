package io.milena.cluster;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractOnMessageBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import akka.cluster.sharding.typed.javadsl.ClusterSharding;
import akka.cluster.sharding.typed.javadsl.EntityTypeKey;
import io.milena.common.ClusterMessage;
import io.milena.metadata.LeaderPlacement;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.MetadataService;
import io.milena.metadata.ReplicaSetImage;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one owner in the cluster of a replica set's leadership: a sharded entity whose id is the
 * set's, started where {@link LeaderPlacement} wants the set led. It claims leadership for its node
 * when it starts and resigns it when sharding hands it over, so that leaders move with it while
 * nothing is broken. After an emergency it finds its claim granted.
 *
 * <p>No record waits for it: replicas act on the image, where the grant is a fact. {@link
 * ReplicaSetKeeper} starts it, and tells it when the set has changed.
 */
public final class ReplicaSetLeader extends AbstractOnMessageBehavior<ReplicaSetLeader.Command> {

  private static final Logger LOG = LoggerFactory.getLogger(ReplicaSetLeader.class);

  /** The entity type; its entities' ids are set ids in decimal. */
  public static final EntityTypeKey<Command> TYPE_KEY =
      EntityTypeKey.create(Command.class, "replica-set");

  /** After a claim that was refused or not decided. Between claims the image may change. */
  static final Duration CLAIM_RETRY_INTERVAL = Duration.ofSeconds(2);

  /** How long a hand-over waits for the metadata group; then the entity's next place claims. */
  static final Duration RESIGN_TIMEOUT = Duration.ofSeconds(3);

  /** What the entity is told. */
  public sealed interface Command {}

  /** Be there: does nothing to an entity that runs. */
  public record Start() implements Command, ClusterMessage {}

  /** How it stands with the set. */
  public record GetStatus(ActorRef<Status> replyTo) implements Command, ClusterMessage {}

  enum Internal implements Command {
    /** The set has changed in the image, or is gone. */
    REVIEW,
    CLAIM_AGAIN,
    /** Sharding's stop message: hand over and end. */
    STOP,
    /** The resignation was decided, or it took too long. */
    RESIGN_ENDED
  }

  private record ClaimDecided(MetadataReply.LeadershipDecided reply) implements Command {}

  private record ClaimFailed(Throwable failure) implements Command {}

  /** What the entity is about. */
  public enum Phase {
    /** It has not been granted leadership yet. */
    CLAIMING,
    /** Its node leads. */
    LEADING,
    /** Another node was granted the set since; sharding will follow, or bring it back. */
    STANDING_BY,
    /** It ends once another replica leads. */
    RESIGNING
  }

  /**
   * @param nodeId where the entity runs
   * @param leaderEpoch of the set in the node's image, -1 if the set is gone
   */
  public record Status(int setId, int nodeId, Phase phase, int leaderEpoch)
      implements ClusterMessage {}

  /**
   * What the entities of a node share.
   *
   * @param nodeEpoch of the node's registration
   * @param keeper hears of each entity that starts
   */
  record Environment(
      int nodeId,
      LongSupplier nodeEpoch,
      MetadataService metadata,
      ActorRef<ReplicaSetKeeper.Command> keeper) {}

  private final int setId;
  private final Environment node;
  private final ActorRef<ClusterSharding.ShardCommand> shard;
  private final TimerScheduler<Command> timers;
  private Phase phase = Phase.CLAIMING;
  private boolean claimIsUnderWay;

  static Behavior<Command> create(
      int setId, Environment node, ActorRef<ClusterSharding.ShardCommand> shard) {
    return Behaviors.setup(context ->
        Behaviors.withTimers(timers -> new ReplicaSetLeader(context, timers, setId, node, shard)));
  }

  private ReplicaSetLeader(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      int setId,
      Environment node,
      ActorRef<ClusterSharding.ShardCommand> shard) {
    super(context);
    this.setId = setId;
    this.node = node;
    this.shard = shard;
    this.timers = timers;
    node.keeper().tell(new ReplicaSetKeeper.EntityStarted(setId, context.getSelf()));
    review();
  }

  @Override
  public Behavior<Command> onMessage(Command command) {
    return switch (command) {
      case Start _ -> this;
      case GetStatus(ActorRef<Status> replyTo) -> onGetStatus(replyTo);
      case Internal.REVIEW, Internal.CLAIM_AGAIN -> {
        review();
        yield this;
      }
      case ClaimDecided(MetadataReply.LeadershipDecided reply) -> onClaimDecided(reply);
      case ClaimFailed(Throwable failure) -> onClaimFailed(failure);
      case Internal.STOP -> onStop();
      case Internal.RESIGN_ENDED -> Behaviors.stopped();
    };
  }

  private Behavior<Command> onGetStatus(ActorRef<Status> replyTo) {
    @Nullable ReplicaSetImage set = set();
    replyTo.tell(new Status(setId, node.nodeId(), phase, set == null ? -1 : set.leaderEpoch()));
    return this;
  }

  /** Acts on the newest image. */
  private void review() {
    @Nullable ReplicaSetImage set = set();
    if (set == null) {
      shard.tell(new ClusterSharding.Passivate<>(getContext().getSelf()));
      return;
    }
    switch (phase) {
      case CLAIMING -> claim(set);
      case LEADING, STANDING_BY ->
          phase = set.leader() == node.nodeId() ? Phase.LEADING : Phase.STANDING_BY;
      case RESIGNING -> {}
    }
  }

  private void claim(ReplicaSetImage set) {
    if (claimIsUnderWay) {
      return;
    }
    claimIsUnderWay = true;
    timers.cancel(Internal.CLAIM_AGAIN);
    getContext()
        .pipeToSelf(
            node.metadata()
                .submit(
                    new MetadataCommand.ClaimLeadership(
                        setId, node.nodeId(), node.nodeEpoch().getAsLong(), set.leaderEpoch())),
            (reply, failure) -> reply == null ? new ClaimFailed(failure) : new ClaimDecided(reply));
  }

  private Behavior<Command> onClaimDecided(MetadataReply.LeadershipDecided reply) {
    claimIsUnderWay = false;
    if (phase == Phase.CLAIMING) {
      if (reply.error() == Errors.NONE) {
        phase = Phase.LEADING;
        LOG.debug("Replica set {} has its owner on node {}", setId, node.nodeId());
        review();
      } else {
        LOG.debug("Claim of replica set {} was refused: {}", setId, reply.message());
        claimLater();
      }
    }
    return this;
  }

  private Behavior<Command> onClaimFailed(Throwable failure) {
    claimIsUnderWay = false;
    if (phase == Phase.CLAIMING) {
      LOG.info("Claim of replica set {} is not decided yet: {}", setId, failure.getMessage());
      claimLater();
    }
    return this;
  }

  private void claimLater() {
    timers.startSingleTimer(Internal.CLAIM_AGAIN, Internal.CLAIM_AGAIN, CLAIM_RETRY_INTERVAL);
  }

  private Behavior<Command> onStop() {
    @Nullable ReplicaSetImage set = set();
    if (phase == Phase.RESIGNING) {
      return this;
    }
    if (set == null
        || set.leader() != node.nodeId()
        || LeaderPlacement.successor(node.metadata().image(), setId, node.nodeId()).isEmpty()) {
      return Behaviors.stopped();
    }
    phase = Phase.RESIGNING;
    CompletionStage<MetadataReply.LeadershipDecided> resigned =
        node.metadata()
            .submit(
                new MetadataCommand.ResignLeadership(
                    setId, node.nodeId(), node.nodeEpoch().getAsLong(), set.leaderEpoch()));
    getContext().pipeToSelf(resigned, (_, _) -> Internal.RESIGN_ENDED);
    timers.startSingleTimer(Internal.RESIGN_ENDED, RESIGN_TIMEOUT);
    return this;
  }

  private @Nullable ReplicaSetImage set() {
    return node.metadata().image().replicaSets().get(setId);
  }
}
