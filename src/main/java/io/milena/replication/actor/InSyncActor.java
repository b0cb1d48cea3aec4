package io.milena.replication.actor;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.javadsl.AbstractOnMessageBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import io.milena.common.Clock;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataDelta;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.NodeImage;
import io.milena.metadata.PartitionImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import io.milena.replication.InSyncKeeper;
import io.milena.replication.InSyncProposal;
import io.milena.replication.InSyncReports;
import io.milena.replication.LedSet;
import io.milena.replication.ReplicaRole;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the in-sync replicas of every set that this node leads; {@link InSyncKeeper} has the rules.
 * Images must reach it before the replicas act on them, so that it knows of what they report.
 */
final class InSyncActor extends AbstractOnMessageBehavior<InSyncActor.Command> {

  private static final Logger LOG = LoggerFactory.getLogger(InSyncActor.class);

  /** Before a proposal is made again; the image that makes it needless comes sooner. */
  private static final Duration PAUSE = Duration.ofMillis(500);

  sealed interface Command {}

  /** A new image. */
  record Image(MetadataDelta delta, MetadataImage image) implements Command {}

  /** See {@link InSyncReports#onCaughtUp}. */
  record CaughtUp(Reporter reporter, int leaderEpoch, int nodeId, long nodeEpoch)
      implements Command {}

  /** See {@link InSyncReports#onJoined}. */
  record Joined(Reporter reporter, int leaderEpoch, int nodeId, long nodeEpoch)
      implements Command {}

  /** See {@link InSyncReports#onLagging}. */
  record Lagging(Reporter reporter, int leaderEpoch, int nodeId) implements Command {}

  /**
   * What became of a proposal.
   *
   * @param reply null when it is unknown
   */
  record Answered(
      InSyncProposal proposal, MetadataReply.@Nullable Done reply, @Nullable Throwable failure)
      implements Command {}

  /** Time to find out who lags. */
  record Review() implements Command {}

  /** Time for what the keeper waits for. */
  record Wake() implements Command {}

  private final int nodeId;
  private final LocalReplicas replicas;
  private final InSyncProposals proposals;
  private final Clock clock;
  private final TimerScheduler<Command> timers;
  private final InSyncKeeper keeper;
  private Set<Integer> led = Set.of();

  static Behavior<Command> create(
      int nodeId, LocalReplicas replicas, InSyncProposals proposals, Clock clock) {
    Behavior<Command> behavior =
        Behaviors.setup(context ->
            Behaviors.withTimers(
                timers -> new InSyncActor(context, timers, nodeId, replicas, proposals, clock)));
    return Behaviors.supervise(behavior).onFailure(SupervisorStrategy.resume());
  }

  private InSyncActor(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      int nodeId,
      LocalReplicas replicas,
      InSyncProposals proposals,
      Clock clock) {
    super(context);
    this.nodeId = nodeId;
    this.replicas = replicas;
    this.proposals = proposals;
    this.clock = clock;
    this.timers = timers;
    this.keeper = new InSyncKeeper(new Effects(), PAUSE.toNanos(), proposals.lagMax().toNanos());
    // As Kafka does: between one and one and a half times the limit until a replica is out.
    timers.startTimerWithFixedDelay(new Review(), proposals.lagMax().dividedBy(2));
  }

  @Override
  public Behavior<Command> onMessage(Command command) {
    long now = clock.monotonicNanos();
    switch (command) {
      case Image image -> onImage(image, now);
      case CaughtUp(Reporter reporter, int epoch, int node, long nodeEpoch) ->
          keeper.onCaughtUp(
              reporter.handle.replicaSetId(), reporter.partition, epoch, node, nodeEpoch, now);
      case Joined(Reporter reporter, int epoch, int node, long nodeEpoch) ->
          keeper.onJoined(
              reporter.handle.replicaSetId(), reporter.partition, epoch, node, nodeEpoch, now);
      case Lagging(Reporter reporter, int epoch, int node) ->
          keeper.onLagging(reporter.handle.replicaSetId(), epoch, node, now);
      case Answered answered -> onAnswered(answered, now);
      case Review _ -> onReview(now);
      case Wake _ -> keeper.onTime(now);
    }
    scheduleWake();
    return this;
  }

  private void onImage(Image command, long nowNanos) {
    MetadataDelta delta = command.delta();
    if (delta.replicaSets().isEmpty() && delta.topics().isEmpty() && delta.nodes().isEmpty()) {
      return;
    }
    MetadataImage image = command.image();
    List<ReplicaSetImage> sets =
        image.replicaSets().values().stream()
            .filter(set -> set.leader() == nodeId && set.replicas().size() > 1)
            .toList();
    Map<Integer, Set<TopicIdPartition>> partitions = partitionsOfIncomplete(image, sets);
    Set<Integer> now = new HashSet<>();
    for (ReplicaSetImage set : sets) {
      now.add(set.id());
      keeper.onLed(
          new LedSet(
              set.id(),
              set.leaderEpoch(),
              set.partitionEpoch(),
              set.replicas(),
              set.isr(),
              liveEpochs(image, set),
              partitions.getOrDefault(set.id(), Set.of())),
          nowNanos);
    }
    for (int setId : led) {
      if (!now.contains(setId)) {
        keeper.onLost(setId);
      }
    }
    led = now;
  }

  private static Map<Integer, Set<TopicIdPartition>> partitionsOfIncomplete(
      MetadataImage image, List<ReplicaSetImage> sets) {
    Map<Integer, Set<TopicIdPartition>> partitions = new HashMap<>();
    for (ReplicaSetImage set : sets) {
      if (!set.isr().containsAll(set.replicas())) {
        partitions.put(set.id(), new HashSet<>());
      }
    }
    if (!partitions.isEmpty()) {
      for (TopicImage topic : image.topicsById().values()) {
        for (PartitionImage partition : topic.partitions()) {
          Set<TopicIdPartition> ofSet = partitions.get(partition.replicaSetId());
          if (ofSet != null) {
            ofSet.add(new TopicIdPartition(topic.id(), partition.partition(), topic.name()));
          }
        }
      }
    }
    return partitions;
  }

  private static Map<Integer, Long> liveEpochs(MetadataImage image, ReplicaSetImage set) {
    Map<Integer, Long> epochs = new HashMap<>();
    for (int replica : set.replicas()) {
      NodeImage node = image.nodes().get(replica);
      if (node != null
          && !node.fenced()
          && (!node.controlledShutdown() || set.isr().contains(replica))) {
        epochs.put(replica, node.nodeEpoch());
      }
    }
    return epochs;
  }

  private void onReview(long nowNanos) {
    if (led.isEmpty()) {
      return;
    }
    keeper.onReview(nowNanos);
    ReplicaCommand.Review review = new ReplicaCommand.Review(proposals.lagMax().toNanos());
    for (ReplicaHandle handle : replicas.handles()) {
      if (led.contains(handle.replicaSetId()) && handle.view().role() == ReplicaRole.LEADER) {
        handle.tell(review);
      }
    }
  }

  private void onAnswered(Answered answered, long nowNanos) {
    InSyncProposal proposal = answered.proposal();
    MetadataReply.Done reply = answered.reply();
    if (reply == null) {
      LOG.info(
          "set {}: whether {} are in sync now is not known, the metadata group is asked again: {}",
          proposal.setId(),
          proposal.isr(),
          String.valueOf(answered.failure()));
    } else if (reply.error() == Errors.NONE) {
      LOG.info("set {}: in sync are now {}", proposal.setId(), proposal.isr());
    } else {
      LOG.info(
          "set {}: the metadata group refused that {} are in sync: {}",
          proposal.setId(),
          proposal.isr(),
          reply.message());
    }
    keeper.onAnswer(proposal, nowNanos);
  }

  private void scheduleWake() {
    long delay = keeper.nanosToNext(clock.monotonicNanos());
    if (delay < Duration.ofDays(1).toNanos()) {
      timers.startSingleTimer(
          Wake.class, new Wake(), Duration.ofNanos(Math.max(0, delay)).plusMillis(1));
    } else {
      timers.cancel(Wake.class);
    }
  }

  private final class Effects implements InSyncKeeper.Effects {
    @Override
    public void join(TopicIdPartition partition, int leaderEpoch, int node, long nodeEpoch) {
      tell(partition, new ReplicaCommand.Join(leaderEpoch, node, nodeEpoch));
    }

    @Override
    public void withdraw(TopicIdPartition partition, int leaderEpoch, int node) {
      tell(partition, new ReplicaCommand.Withdraw(leaderEpoch, node));
    }

    /** One that is gone takes nothing into account; an image is on its way that says so. */
    private void tell(TopicIdPartition partition, ReplicaCommand command) {
      ReplicaHandle handle = replicas.handle(partition.topicPartition());
      if (handle != null && handle.topicId().equals(partition.topicId())) {
        handle.tell(command);
      }
    }

    @Override
    public void propose(InSyncProposal proposal) {
      List<MetadataCommand.InSyncReplica> isr = new ArrayList<>();
      for (int i = 0; i < proposal.isr().size(); i++) {
        isr.add(
            new MetadataCommand.InSyncReplica(proposal.isr().get(i), proposal.nodeEpochs().get(i)));
      }
      getContext()
          .pipeToSelf(
              proposals
                  .metadata()
                  .submit(
                      new MetadataCommand.ChangeInSyncReplicas(
                          proposal.setId(),
                          nodeId,
                          proposals.nodeEpoch().getAsLong(),
                          proposal.leaderEpoch(),
                          proposal.partitionEpoch(),
                          isr)),
              (reply, failure) -> new Answered(proposal, reply, failure));
    }
  }

  /** What one replica says of its followers, on its way to the keeper. */
  static final class Reporter implements InSyncReports {
    private final ReplicaHandle handle;
    private final TopicIdPartition partition;
    private final ActorRef<Command> keeper;

    Reporter(ReplicaHandle handle, ActorRef<Command> keeper) {
      TopicPartition name = handle.partition();
      this.handle = handle;
      this.partition = new TopicIdPartition(handle.topicId(), name);
      this.keeper = keeper;
    }

    @Override
    public void onCaughtUp(int leaderEpoch, int nodeId, long nodeEpoch) {
      keeper.tell(new CaughtUp(this, leaderEpoch, nodeId, nodeEpoch));
    }

    @Override
    public void onJoined(int leaderEpoch, int nodeId, long nodeEpoch) {
      keeper.tell(new Joined(this, leaderEpoch, nodeId, nodeEpoch));
    }

    @Override
    public void onLagging(int leaderEpoch, int nodeId) {
      keeper.tell(new Lagging(this, leaderEpoch, nodeId));
    }
  }
}
