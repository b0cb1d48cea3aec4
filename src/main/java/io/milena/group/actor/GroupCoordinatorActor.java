package io.milena.group.actor;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractOnMessageBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import io.milena.common.Clock;
import io.milena.group.GroupConfig;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.PartitionImage;
import io.milena.metadata.TopicImage;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaDirectory;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.internals.Topic;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one {@link OffsetsPartitionActor} for each partition of {@code __consumer_offsets} that
 * this node leads, and no other: follows the metadata image and the replicas. One a node.
 */
final class GroupCoordinatorActor extends AbstractOnMessageBehavior<GroupCoordinatorActor.Command> {

  /**
   * While the image says that this node leads a partition whose replica does not know yet, this
   * often somebody has to look: a replica that does not exist has no listener.
   */
  private static final Duration LOOK_AGAIN = Duration.ofMillis(50);

  sealed interface Command {}

  private record ImageChanged(Set<Uuid> topics, MetadataImage image) implements Command {}

  private enum Look implements Command {
    INSTANCE
  }

  private record PartitionEnded(int partition, ActorRef<OffsetsPartitionActor.Command> actor)
      implements Command {}

  private record Leadership(
      int leaderEpoch, Replica replica, ActorRef<OffsetsPartitionActor.Command> actor) {}

  private final int nodeId;
  private final GroupConfig config;
  private final ReplicaDirectory replicas;
  private final Clock clock;
  private final Routes routes;
  private final TimerScheduler<Command> timers;
  private final Map<Integer, Leadership> leaderships = new HashMap<>();
  private final Map<Integer, Watch> watches = new HashMap<>();
  private MetadataImage image;

  static Behavior<Command> create(
      int nodeId,
      GroupConfig config,
      ReplicaDirectory replicas,
      MetadataService metadata,
      Clock clock,
      Routes routes) {
    return Behaviors.setup(context ->
        Behaviors.withTimers(timers -> {
          ActorRef<Command> self = context.getSelf();
          metadata.subscribe((delta, image) -> self.tell(new ImageChanged(delta.topics(), image)));
          self.tell(new ImageChanged(Set.of(), metadata.image()));
          return new GroupCoordinatorActor(
              context, nodeId, config, replicas, clock, routes, timers);
        }));
  }

  private GroupCoordinatorActor(
      ActorContext<Command> context,
      int nodeId,
      GroupConfig config,
      ReplicaDirectory replicas,
      Clock clock,
      Routes routes,
      TimerScheduler<Command> timers) {
    super(context);
    this.nodeId = nodeId;
    this.config = config;
    this.replicas = replicas;
    this.clock = clock;
    this.routes = routes;
    this.timers = timers;
    this.image = MetadataImage.EMPTY;
  }

  @Override
  public Behavior<Command> onMessage(Command command) {
    return switch (command) {
      case ImageChanged changed -> onImageChanged(changed);
      case Look _ -> look();
      case PartitionEnded ended -> onPartitionEnded(ended);
    };
  }

  private Behavior<Command> onImageChanged(ImageChanged changed) {
    MetadataImage newer = changed.image();
    if (newer.appliedIndex() < image.appliedIndex()) {
      return this; // The first image of all may arrive after a newer one.
    }
    MetadataImage older = image;
    image = newer;
    Set<String> deleted = new HashSet<>();
    for (Uuid id : changed.topics()) {
      TopicImage before = older.topic(id);
      if (before != null && newer.topic(id) == null) {
        deleted.add(before.name());
      }
    }
    if (!deleted.isEmpty()) {
      leaderships
          .values()
          .forEach(it -> it.actor().tell(new OffsetsPartitionActor.ForgetTopics(deleted)));
    }
    return look();
  }

  /** Brings what runs into line with what this node leads. */
  private Behavior<Command> look() {
    TopicImage topic = image.topic(Topic.GROUP_METADATA_TOPIC_NAME);
    Set<Integer> present = new HashSet<>();
    boolean awaited = false;
    if (topic != null) {
      for (PartitionImage partition : topic.partitions()) {
        present.add(partition.partition());
        Replica replica =
            replicas.find(
                new TopicPartition(Topic.GROUP_METADATA_TOPIC_NAME, partition.partition()));
        if (replica == null) {
          unwatch(partition.partition());
        }
        boolean leads = replica != null && follow(partition.partition(), replica);
        awaited |= !leads && image.replicaSetOf(partition).leader() == nodeId;
      }
    }
    for (int partition : Set.copyOf(leaderships.keySet())) {
      if (!present.contains(partition)) {
        end(partition);
      }
    }
    for (int partition : Set.copyOf(watches.keySet())) {
      if (!present.contains(partition)) {
        unwatch(partition);
      }
    }
    if (awaited) {
      timers.startSingleTimer(Look.INSTANCE, Look.INSTANCE, LOOK_AGAIN);
    }
    return this;
  }

  /** Starts, restarts or ends the partition's actor; true when this node leads it. */
  private boolean follow(int partition, Replica replica) {
    Watch watch = watches.get(partition);
    if (watch == null || !watch.replica.equals(replica)) {
      unwatch(partition);
      watches.put(partition, new Watch(replica, getContext().getSelf()));
    }
    ReplicaView view = replica.view();
    boolean leads = view.role() == ReplicaRole.LEADER;
    Leadership current = leaderships.get(partition);
    if (current != null
        && (!leads
            || !current.replica().equals(replica)
            || current.leaderEpoch() != view.leaderEpoch())) {
      end(partition);
      current = null;
    }
    if (leads && current == null) {
      begin(partition, replica, view.leaderEpoch());
    }
    return leads;
  }

  private void unwatch(int partition) {
    Watch watch = watches.remove(partition);
    if (watch != null) {
      watch.close();
    }
  }

  private void begin(int partition, Replica replica, int leaderEpoch) {
    ActorRef<OffsetsPartitionActor.Command> actor =
        getContext()
            .spawnAnonymous(
                OffsetsPartitionActor.create(
                    new OffsetsLog(replica, leaderEpoch, config, clock), routes));
    getContext().watchWith(actor, new PartitionEnded(partition, actor));
    leaderships.put(partition, new Leadership(leaderEpoch, replica, actor));
    routes.putPartition(partition, actor);
  }

  private void end(int partition) {
    Leadership ended = leaderships.remove(partition);
    if (ended != null) {
      routes.removePartition(partition, ended.actor());
      ended.actor().tell(OffsetsPartitionActor.Stop.INSTANCE);
    }
  }

  /** One that ended without being told to has failed: it is started anew. */
  private Behavior<Command> onPartitionEnded(PartitionEnded ended) {
    routes.removePartition(ended.partition(), ended.actor());
    Leadership current = leaderships.get(ended.partition());
    if (current != null && current.actor().equals(ended.actor())) {
      leaderships.remove(ended.partition());
      timers.startSingleTimer(Look.INSTANCE, Look.INSTANCE, LOOK_AGAIN);
    }
    return this;
  }

  /** Listens to a replica, and speaks up only when role or epoch differ from the last time. */
  private static final class Watch {
    private final Replica replica;
    private final Runnable listener;
    private @Nullable ReplicaRole role;
    private int leaderEpoch;

    Watch(Replica replica, ActorRef<Command> coordinator) {
      this.replica = replica;
      listener =
          () -> {
            ReplicaView view = replica.view();
            if (view.role() != role || view.leaderEpoch() != leaderEpoch) {
              role = view.role();
              leaderEpoch = view.leaderEpoch();
              coordinator.tell(Look.INSTANCE);
            }
          };
      replica.addListener(listener);
    }

    void close() {
      replica.removeListener(listener);
    }
  }
}
