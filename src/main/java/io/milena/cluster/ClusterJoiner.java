package io.milena.cluster;

import akka.actor.Address;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.Props;
import akka.actor.typed.javadsl.AbstractOnMessageBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.MemberStatus;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.JoinSeedNodes;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Brings a live node into the Akka cluster of the other live nodes. The metadata group says who
 * that is: the node whose registration is the oldest begins the cluster if none of the others is in
 * one yet, and every other waits until it can join one. So that, whatever starts first, one cluster
 * comes of it.
 */
public final class ClusterJoiner extends AbstractOnMessageBehavior<ClusterJoiner.Command> {

  enum Command {
    LOOK
  }

  private final Cluster cluster;
  private final int nodeId;
  private final MetadataService metadata;
  private final AtomicBoolean lookWaits = new AtomicBoolean(true);
  private List<Address> asked = List.of();

  /** Joins as soon as the image says that this node is live, without anyone waiting for it. */
  public static void start(ActorSystem<?> system, int nodeId, MetadataService metadata) {
    system.systemActorOf(
        Behaviors.<Command>setup(context -> new ClusterJoiner(context, nodeId, metadata)),
        "cluster-joiner",
        Props.empty());
  }

  private ClusterJoiner(ActorContext<Command> context, int nodeId, MetadataService metadata) {
    super(context);
    this.cluster = Cluster.get(context.getSystem());
    this.nodeId = nodeId;
    this.metadata = metadata;
    var self = context.getSelf();
    metadata.subscribe((delta, _) -> {
      if (!delta.nodes().isEmpty() && lookWaits.compareAndSet(false, true)) {
        self.tell(Command.LOOK);
      }
    });
    self.tell(Command.LOOK);
  }

  @Override
  public Behavior<Command> onMessage(Command command) {
    lookWaits.set(false);
    if (!cluster.selfMember().status().equals(MemberStatus.removed())) {
      return Behaviors.stopped();
    }
    List<Address> seeds =
        seeds(metadata.image(), nodeId, cluster.selfMember().address().protocol(), system());
    if (!seeds.isEmpty() && !seeds.equals(asked)) {
      asked = seeds;
      cluster.manager().tell(new JoinSeedNodes(seeds));
    }
    return this;
  }

  private String system() {
    return getContext().getSystem().name();
  }

  /**
   * The live nodes, the oldest registration first; none while this node is not live itself.
   *
   * @param protocol of Akka's addresses
   */
  static List<Address> seeds(MetadataImage image, int nodeId, String protocol, String system) {
    NodeImage self = image.nodes().get(nodeId);
    if (self == null || self.fenced()) {
      return List.of();
    }
    return image.nodes().values().stream()
        .filter(node -> !node.fenced())
        .sorted(Comparator.comparingLong(NodeImage::nodeEpoch))
        .map(node ->
            new Address(
                protocol, system, node.clusterAddress().host(), node.clusterAddress().port()))
        .toList();
  }
}
