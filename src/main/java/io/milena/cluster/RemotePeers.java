package io.milena.cluster;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorRefResolver;
import akka.actor.typed.ActorSystem;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.NodeImage;
import io.milena.metadata.NodeImage.ClusterAddress;
import io.milena.metadata.actor.MetadataGroup;
import io.milena.metadata.actor.Peers;
import io.milena.raft.Entry;
import io.milena.raft.Message;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * {@link Peers} over Akka remoting: each node's member is the system actor {@code metadata}, at the
 * address that the node is registered with; before this node has an image, at the one it had last.
 * What is large goes by a connection of its own, so that heartbeats do not wait behind it.
 */
public final class RemotePeers implements Peers {

  /** From this size on a message goes the way of the large ones; the others' limit is 256 KiB. */
  private static final int LARGE_BYTES = 64 * 1024;

  private static final String MEMBER = "metadata";
  private static final String BULK = MEMBER + "/bulk";

  /** A node's member at an address. */
  private record Member(
      ClusterAddress address,
      ActorRef<MetadataGroup.Command> small,
      ActorRef<MetadataGroup.Command> large) {}

  private final ActorSystem<?> system;
  private final Supplier<MetadataImage> image;
  private final Map<Integer, ClusterInfo.Member> known = new ConcurrentHashMap<>();
  private final Map<Integer, Member> members = new ConcurrentHashMap<>();

  /**
   * @param image this node's newest
   * @param known where the nodes were before
   */
  public RemotePeers(
      ActorSystem<?> system,
      int self,
      Supplier<MetadataImage> image,
      List<ClusterInfo.Member> known) {
    this.system = system;
    this.image = image;
    known.stream()
        .filter(node -> node.nodeId() != self)
        .forEach(node -> this.known.put(node.nodeId(), node));
  }

  @Override
  public void send(int nodeId, MetadataGroup.Remote message) {
    ClusterAddress address = address(nodeId);
    if (address == null) {
      return;
    }
    Member member =
        members.compute(
            nodeId,
            (_, present) ->
                present != null && present.address().equals(address) ? present : member(address));
    (isLarge(message) ? member.large() : member.small()).tell(message);
  }

  @Override
  public List<Integer> contacts() {
    return known.keySet().stream().sorted().toList();
  }

  private @Nullable ClusterAddress address(int nodeId) {
    NodeImage registered = image.get().nodes().get(nodeId);
    ClusterInfo.Member before = known.get(nodeId);
    if (registered == null) {
      return before == null ? null : before.address();
    }
    // An image that is being recovered may be older than the file.
    return before != null && before.nodeEpoch() > registered.nodeEpoch()
        ? before.address()
        : registered.clusterAddress();
  }

  private Member member(ClusterAddress address) {
    String root = "akka://" + system.name() + "@" + address + "/system/";
    ActorRefResolver resolver = ActorRefResolver.get(system);
    return new Member(
        address, resolver.resolveActorRef(root + MEMBER), resolver.resolveActorRef(root + BULK));
  }

  private static boolean isLarge(MetadataGroup.Remote message) {
    return switch (message) {
      case MetadataGroup.Receive(_, Message.AppendRequest append) ->
          sizeBytes(append.entries()) >= LARGE_BYTES;
      case MetadataGroup.Receive(_, Message.SnapshotChunk _) -> true;
      case MetadataGroup.Receive _ -> false;
      case MetadataGroup.Forward forward -> isLarge(forward.command());
      case MetadataGroup.Answered answered -> isLarge(answered.outcome());
      case MetadataGroup.GetLeaderStatus _ -> false;
    };
  }

  private static long sizeBytes(List<Entry> entries) {
    return entries.stream().mapToLong(entry -> entry.payload().sizeBytes()).sum();
  }

  /** All but those that name one thing. */
  private static boolean isLarge(MetadataCommand<?> command) {
    return !(command instanceof MetadataCommand.RegisterNode
        || command instanceof MetadataCommand.UnfenceNode
        || command instanceof MetadataCommand.FenceNode
        || command instanceof MetadataCommand.BeginShutdown
        || command instanceof MetadataCommand.LeaveInSync
        || command instanceof MetadataCommand.ChangeVoter
        || command instanceof MetadataCommand.ClaimLeadership
        || command instanceof MetadataCommand.ResignLeadership
        || command instanceof MetadataCommand.AllocateProducerIds);
  }

  private static boolean isLarge(MetadataGroup.Outcome outcome) {
    return outcome instanceof MetadataGroup.Decided(MetadataReply reply)
        && !(reply instanceof MetadataReply.Done
            || reply instanceof MetadataReply.NodeRegistered
            || reply instanceof MetadataReply.LeadershipDecided
            || reply instanceof MetadataReply.ProducerIdBlock);
  }
}
