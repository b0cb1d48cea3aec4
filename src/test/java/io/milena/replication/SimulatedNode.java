package io.milena.replication;

import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.NodeImage;
import io.milena.metadata.PartitionImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongConsumer;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * A node of a simulation: its disk, its image of the metadata, and in each life the replicas, the
 * keeper of the in-sync replicas and both sides of the exchange. What is here beside the cores is
 * what {@code LocalReplicas}, {@code InSyncActor} and the exchange do.
 */
final class SimulatedNode {

  static final int LAG_MAX_MS = 150;
  static final long MILLI = 1_000_000;

  private static final int PAUSE_MS = 20;
  private static final int POLL_MS = 25;
  private static final int REGISTRATION_RETRY_MS = 60;
  private static final int PROPOSAL_TIMEOUT_MS = 200;
  private static final int UNFENCED_WITHIN_MS = 300;

  /** What a crash leaves of a replica. */
  private record Disk(ModelLog log, long highWatermark) {}

  final int id;
  final SimulatedReplication world;
  private final Map<TopicIdPartition, Disk> disk = new LinkedHashMap<>();
  private final Map<TopicIdPartition, SimulatedReplica> replicas = new LinkedHashMap<>();
  private MetadataImage image = MetadataImage.EMPTY;
  private InSyncKeeper keeper = new InSyncKeeper(new KeeperEffects(), 1, 1);
  private Set<Integer> led = Set.of();
  private int life;
  private boolean up;
  private long pausedUntil;
  private long clockOffsetMs;
  private long keeperBusyUntil;
  private Uuid incarnation = Uuid.ZERO_UUID;
  private long nodeEpoch = -1;
  private boolean registered;
  private boolean unfenced;

  /** Its machine crashed, and the metadata group has not been told yet. */
  private boolean lostTail;

  SimulatedNode(int id, SimulatedReplication world) {
    this.id = id;
    this.world = world;
  }

  int life() {
    return life;
  }

  boolean isUp() {
    return up;
  }

  boolean isServing() {
    return up && unfenced;
  }

  /** This life of it is in its image: what it may do is what the image says. */
  boolean isRegistered() {
    return registered;
  }

  boolean hasLostTail() {
    return lostTail;
  }

  long pausedUntil() {
    return pausedUntil;
  }

  long nodeEpoch() {
    return nodeEpoch;
  }

  MetadataImage image() {
    return image;
  }

  InSyncKeeper keeper() {
    return keeper;
  }

  Collection<SimulatedReplica> replicas() {
    return replicas.values();
  }

  boolean hasOffline() {
    return replicas.values().stream().anyMatch(SimulatedReplica::isOffline);
  }

  long nowNanos() {
    return (world.now() + clockOffsetMs) * MILLI;
  }

  /** Runs something in this life of the node; a node that is paused does it late. */
  void later(int delayMs, Runnable action) {
    world.at(world.now() + delayMs, this, life, action);
  }

  // ---- life and death

  void start() {
    life++;
    up = true;
    nodeEpoch = -1;
    registered = false;
    unfenced = false;
    pausedUntil = 0;
    keeperBusyUntil = 0;
    incarnation = new Uuid(id, life);
    led = Set.of();
    keeper = new InSyncKeeper(new KeeperEffects(), PAUSE_MS * MILLI, LAG_MAX_MS * MILLI);
    replicas.clear();
    if (image.appliedIndex() > 0) {
      onImage(image);
    }
    followMetadata();
    poll();
    review();
    keepTime();
    later(1 + world.random.nextInt(10), this::register);
  }

  /** The process is gone, what it wrote is in the page cache. */
  void kill() {
    up = false;
    life++;
    for (SimulatedReplica replica : replicas.values()) {
      long checkpoint = world.random.nextInt((int) replica.core.highWatermark() + 1);
      disk.put(
          replica.key,
          new Disk(
              replica.log, world.random.nextBoolean() ? replica.core.highWatermark() : checkpoint));
    }
    replicas.clear();
  }

  /** The machine is gone, and with it what was not flushed. */
  void crash() {
    kill();
    lostTail = true;
    for (Disk each : disk.values()) {
      each.log().loseTail(world.random);
    }
  }

  void pause(int millis) {
    pausedUntil = world.now() + millis;
  }

  void jumpClock(int millis) {
    clockOffsetMs += millis;
  }

  private void register() {
    if (nodeEpoch >= 0) {
      return;
    }
    boolean told = lostTail && world.fault != ReplicationFault.CRASH_TAKEN_FOR_A_KILL;
    world.submit(
        this,
        world.registration(id, incarnation, told),
        REGISTRATION_RETRY_MS,
        () -> lostTail = false,
        reply -> {
          if (nodeEpoch >= 0) {
            return;
          }
          if (reply != null && reply.error() == Errors.NONE) {
            nodeEpoch = reply.nodeEpoch();
            unfence();
          } else {
            register();
          }
        });
  }

  private void unfence() {
    if (unfenced) {
      return;
    }
    world.submit(
        this,
        new MetadataCommand.UnfenceNode(id, nodeEpoch),
        REGISTRATION_RETRY_MS,
        () -> {},
        reply -> {
          if (reply == null) {
            unfence();
          } else if (reply.error() != Errors.NONE) {
            world.restartSoon(this); // Another life of it is registered.
          } else {
            later(
                UNFENCED_WITHIN_MS,
                () -> {
                  if (!unfenced) {
                    world.restartSoon(this); // It has been fenced again.
                  }
                });
          }
        });
  }

  // ---- the metadata

  private void followMetadata() {
    if (!world.isCut(0, id)) {
      int known = (int) image.appliedIndex();
      int end = world.metadata.end();
      if (end > known) {
        // Entry by entry as a rule; a snapshot brings many at once.
        boolean jump = world.chance(150);
        int behind = world.isHealed() || jump ? 0 : world.random.nextInt(2);
        for (int index = jump ? end : known + 1; index <= end - behind; index++) {
          image = world.metadata.upTo(image, index);
          onImage(image);
        }
      }
    }
    later(1 + world.random.nextInt(30), this::followMetadata);
  }

  private void onImage(MetadataImage next) {
    NodeImage self = next.nodes().get(id);
    registered = self != null && self.incarnation().equals(incarnation);
    if (registered && !self.fenced() && nodeEpoch == self.nodeEpoch()) {
      unfenced = true;
    } else if (unfenced && self != null && self.fenced()) {
      world.restartSoon(this);
    }
    tellKeeper(now -> onImageOfKeeper(next, now));
    reconfigure(next);
    Set<TopicIdPartition> present = new HashSet<>();
    for (TopicImage topic : next.topicsById().values()) {
      for (PartitionImage partition : topic.partitions()) {
        ReplicaSetImage set = next.replicaSetOf(partition);
        if (set.replicas().contains(id)) {
          TopicIdPartition key = key(topic, partition);
          present.add(key);
          SimulatedReplica replica = replicas.get(key);
          if (replica == null) {
            replica = open(key, set.id(), next);
            replicas.put(key, replica);
          }
          replica.setId = set.id();
          assign(
              replica,
              set,
              registered || world.fault == ReplicationFault.LEADS_FOR_AN_EARLIER_LIFE);
        }
      }
    }
    replicas.keySet().retainAll(present);
    disk.keySet().removeIf(key -> !present.contains(key) && isKnownGone(next, key));
  }

  /** The partition is there, and this node is no replica of it. */
  private boolean isKnownGone(MetadataImage next, TopicIdPartition key) {
    TopicImage topic = next.topic(key.topicId());
    return topic != null && key.partition() < topic.partitions().size();
  }

  private void reconfigure(MetadataImage next) {
    for (SimulatedReplica replica : replicas.values()) {
      replica.reconfigure(world.config(next));
    }
  }

  private SimulatedReplica open(TopicIdPartition key, int setId, MetadataImage next) {
    Disk found = disk.get(key);
    if (found == null) {
      found = new Disk(new ModelLog(), 0);
      found.log().failWhen(() -> world.chance(5));
      disk.put(key, found);
    }
    return new SimulatedReplica(
        this, key, setId, found.log(), world.config(next), found.highWatermark());
  }

  private void assign(SimulatedReplica replica, ReplicaSetImage set, boolean mayLead) {
    if (replica.isOffline()) {
      return;
    }
    if (set.leader() == id && mayLead) {
      replica.core.lead(set.leaderEpoch(), set.replicas(), set.isr(), nowNanos());
    } else if (set.leader() == id || set.leader() == ReplicaSetImage.NO_LEADER) {
      replica.core.stepDown(set.leaderEpoch());
    } else {
      replica.core.follow(set.leaderEpoch(), set.leader());
    }
    replica.changed();
  }

  static TopicIdPartition key(TopicImage topic, PartitionImage partition) {
    return new TopicIdPartition(
        topic.id(), new TopicPartition(topic.name(), partition.partition()));
  }

  // ---- the in-sync replicas

  /** One thing after the other, and each late. */
  void tellKeeper(LongConsumer message) {
    keeperBusyUntil = Math.max(keeperBusyUntil, world.now() + world.random.nextInt(6));
    world.at(keeperBusyUntil, this, life, () -> message.accept(nowNanos()));
  }

  private void onImageOfKeeper(MetadataImage next, long nowNanos) {
    Set<Integer> now = new HashSet<>();
    for (ReplicaSetImage set : next.replicaSets().values()) {
      if (set.leader() != id) {
        continue;
      }
      now.add(set.id());
      Map<Integer, Long> live = new HashMap<>();
      for (int replica : set.replicas()) {
        NodeImage node = next.nodes().get(replica);
        if (node != null && !node.fenced()) {
          live.put(replica, node.nodeEpoch());
        }
      }
      Set<TopicIdPartition> partitions = new HashSet<>();
      for (TopicImage topic : next.topicsById().values()) {
        for (PartitionImage partition : topic.partitions()) {
          if (partition.replicaSetId() == set.id()) {
            partitions.add(key(topic, partition));
          }
        }
      }
      keeper.onLed(
          new LedSet(
              set.id(),
              set.leaderEpoch(),
              set.partitionEpoch(),
              set.replicas(),
              set.isr(),
              live,
              partitions),
          nowNanos);
    }
    led.stream().filter(set -> !now.contains(set)).forEach(keeper::onLost);
    led = now;
  }

  private void review() {
    tellKeeper(now -> {
      keeper.onReview(now);
      for (SimulatedReplica replica : List.copyOf(replicas.values())) {
        replica.core.review(nowNanos(), LAG_MAX_MS * MILLI);
      }
    });
    later(LAG_MAX_MS / 2, this::review);
  }

  private void keepTime() {
    tellKeeper(now -> keeper.onTime(now));
    later(PAUSE_MS, this::keepTime);
  }

  private final class KeeperEffects implements InSyncKeeper.Effects {
    @Override
    public void join(TopicIdPartition partition, int leaderEpoch, int node, long epoch) {
      if (world.fault == ReplicationFault.EXPANDS_IN_ONE_STEP) {
        SimulatedReplica replica = replicas.get(partition);
        if (replica != null) {
          replica.onJoined(leaderEpoch, node, epoch);
        }
        return;
      }
      SimulatedReplica replica = replicas.get(partition);
      if (replica != null && !replica.isOffline()) {
        replica.core.join(leaderEpoch, node, epoch);
      }
    }

    @Override
    public void withdraw(TopicIdPartition partition, int leaderEpoch, int node) {
      SimulatedReplica replica = replicas.get(partition);
      if (replica != null && !replica.isOffline() && replica.core.withdraw(leaderEpoch, node)) {
        replica.changed();
      }
    }

    @Override
    public void propose(InSyncProposal proposal) {
      List<MetadataCommand.InSyncReplica> isr = new ArrayList<>();
      for (int i = 0; i < proposal.isr().size(); i++) {
        isr.add(
            new MetadataCommand.InSyncReplica(proposal.isr().get(i), proposal.nodeEpochs().get(i)));
      }
      world.submit(
          SimulatedNode.this,
          new MetadataCommand.ChangeInSyncReplicas(
              proposal.setId(),
              id,
              nodeEpoch,
              proposal.leaderEpoch(),
              proposal.partitionEpoch(),
              isr),
          PROPOSAL_TIMEOUT_MS,
          () -> {},
          reply ->
              tellKeeper(now -> {
                if (world.fault == ReplicationFault.ANSWER_ENDS_THE_WAITING && reply != null) {
                  for (SimulatedReplica replica : replicas.values()) {
                    proposal
                        .isr()
                        .forEach(node -> replica.core.withdraw(proposal.leaderEpoch(), node));
                    replica.changed();
                  }
                }
                keeper.onAnswer(proposal, now);
              }));
    }
  }

  // ---- the exchange

  /** What a follower says of its log. */
  private record Position(
      int from,
      TopicIdPartition key,
      long nodeEpoch,
      int leaderEpoch,
      long logStartOffset,
      long logEndOffset,
      int lastFetchedEpoch,
      long keptEndOffset) {}

  private void poll() {
    for (SimulatedReplica replica : List.copyOf(replicas.values())) {
      fetch(replica);
    }
    later(1 + world.random.nextInt(POLL_MS), this::poll);
  }

  private void fetch(SimulatedReplica replica) {
    ReplicaView view = replica.core.view();
    if (nodeEpoch < 0 || replica.isOffline() || view.role() != ReplicaRole.FOLLOWER) {
      return;
    }
    long kept =
        world.fault == ReplicationFault.WRITTEN_COUNTS_AS_KEPT
            ? replica.log.logEndOffset()
            : view.keptEndOffset();
    Position position =
        new Position(
            id,
            replica.key,
            nodeEpoch,
            view.leaderEpoch(),
            replica.log.logStartOffset(),
            replica.log.logEndOffset(),
            replica.log.latestLeaderEpoch(),
            kept);
    SimulatedNode leader = world.node(view.leaderId());
    world.send(id, leader, () -> leader.onPosition(position));
  }

  private void onPosition(Position position) {
    SimulatedReplica replica = replicas.get(position.key());
    NodeImage asking = image.nodes().get(position.from());
    if (replica == null || replica.isOffline() || !isServing() || asking == null) {
      return;
    }
    long askingEpoch =
        world.fault == ReplicationFault.LIFE_OF_FOLLOWERS_IGNORED
            ? asking.nodeEpoch()
            : position.nodeEpoch();
    ReplicaView view = replica.core.view();
    int epoch =
        world.fault == ReplicationFault.EPOCH_OF_POSITIONS_IGNORED
            ? view.leaderEpoch()
            : position.leaderEpoch();
    if (asking.nodeEpoch() != askingEpoch
        || view.role() != ReplicaRole.LEADER
        || view.leaderEpoch() != epoch) {
      return;
    }
    Divergence divergence =
        world.fault == ReplicationFault.NEITHER_COMPARES_NOR_TRUNCATES
            ? Divergence.None.NONE
            : Divergence.of(view.log(), position.logEndOffset(), position.lastFetchedEpoch());
    if (divergence == Divergence.None.NONE) {
      boolean lies = world.fault == ReplicationFault.POSITION_IS_THE_LEADERS_END;
      if (replica.core.onFollowerPosition(
          new FollowerPosition(
              position.from(),
              askingEpoch,
              epoch,
              position.logStartOffset(),
              lies ? replica.log.logEndOffset() : position.logEndOffset(),
              lies ? replica.log.logEndOffset() : position.keptEndOffset(),
              nowNanos()))) {
        replica.changed();
      }
    }
    answer(replica, position, divergence);
  }

  private void answer(SimulatedReplica replica, Position position, Divergence divergence) {
    LeaderAnswer answer =
        new LeaderAnswer(
            replica.core.leaderEpoch(),
            position.logEndOffset(),
            position.lastFetchedEpoch(),
            divergence == Divergence.BelowLogStart.BELOW_LOG_START
                ? Errors.OFFSET_OUT_OF_RANGE
                : Errors.NONE,
            replica.core.highWatermark(),
            replica.log.logStartOffset(),
            divergence instanceof Divergence.Diverging(DivergingEpoch at) ? at : null,
            divergence == Divergence.None.NONE
                ? world.onTheWire(
                    replica.log.records(position.logEndOffset(), 1 + world.random.nextInt(4)))
                : org.apache.kafka.common.record.internal.MemoryRecords.EMPTY);
    SimulatedNode follower = world.node(position.from());
    world.send(id, follower, () -> follower.onAnswer(position.key(), answer));
  }

  private void onAnswer(TopicIdPartition key, LeaderAnswer answer) {
    SimulatedReplica replica = replicas.get(key);
    if (replica != null && replica.onLeaderAnswer(answer)) {
      fetch(replica);
    }
  }

  /** A leading replica of this node, or null. */
  @Nullable SimulatedReplica leading(int which) {
    List<SimulatedReplica> leading =
        isServing()
            ? replicas.values().stream()
                .filter(replica -> replica.core.role() == ReplicaRole.LEADER)
                .toList()
            : List.of();
    return leading.isEmpty() ? null : leading.get(which % leading.size());
  }

  /** The log of a partition on this node, whether or not it runs. */
  Optional<ModelLog> log(TopicIdPartition key) {
    SimulatedReplica replica = replicas.get(key);
    return replica != null
        ? Optional.of(replica.log)
        : Optional.ofNullable(disk.get(key)).map(Disk::log);
  }

  @Nullable SimulatedReplica replica(TopicIdPartition key) {
    return replicas.get(key);
  }

  @Override
  public String toString() {
    return "node " + id + " (life " + life + ")";
  }
}
