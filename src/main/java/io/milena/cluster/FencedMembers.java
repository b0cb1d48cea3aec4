package io.milena.cluster;

import io.milena.metadata.MetadataImage;
import io.milena.metadata.NodeImage;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;

/**
 * Which members the metadata group's word removes from the cluster. A member whose process the
 * group counts as live stays, whatever Akka's failure detector thinks of it. Of the others go
 *
 * <ul>
 *   <li>those that have been live: they were fenced, or their node has registered anew. Once a
 *       process is fenced only a new one comes back;
 *   <li>those that cannot be reached: dead before they were live.
 * </ul>
 *
 * What is left is starting: a node alone joins the cluster before it registers, and any node is
 * registered fenced.
 */
final class FencedMembers {

  /** A member as this node sees it. */
  record Seen(MemberIdentity identity, boolean reachable) {}

  private final MemberIdentity self;
  private final Set<Uuid> haveBeenLive = ConcurrentHashMap.newKeySet();

  /**
   * @param self never downed by itself
   */
  FencedMembers(MemberIdentity self) {
    this.self = self;
  }

  /**
   * A registration changed: remembers it if it is live, be it for a moment. May be called from
   * another thread than {@link #toDown}.
   */
  void note(NodeImage node) {
    if (!node.fenced()) {
      haveBeenLive.add(node.incarnation());
    }
  }

  /**
   * The members to be downed, given all members; remembers who is live.
   *
   * @param newest image; asked for only after what was noted has been looked at, as a member that
   *     is noted as live meanwhile is still starting in an image from before
   */
  Set<MemberIdentity> toDown(Supplier<MetadataImage> newest, Collection<Seen> members) {
    Set<Uuid> wereLive = Set.copyOf(haveBeenLive);
    MetadataImage image = newest.get();
    Set<MemberIdentity> down = new HashSet<>();
    Set<Uuid> present = new HashSet<>();
    for (Seen member : members) {
      MemberIdentity identity = member.identity();
      present.add(identity.incarnation());
      if (isLive(image, identity)) {
        haveBeenLive.add(identity.incarnation());
      } else if (!identity.equals(self)
          && (wereLive.contains(identity.incarnation()) || !member.reachable())) {
        down.add(identity);
      }
    }
    image.nodes().values().forEach(node -> present.add(node.incarnation()));
    haveBeenLive.retainAll(present);
    return down;
  }

  private static boolean isLive(MetadataImage image, MemberIdentity identity) {
    NodeImage node = image.nodes().get(identity.nodeId());
    return node != null && !node.fenced() && node.incarnation().equals(identity.incarnation());
  }
}
