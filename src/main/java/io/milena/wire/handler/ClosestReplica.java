package io.milena.wire.handler;

import io.milena.metadata.MetadataImage;
import io.milena.metadata.NodeImage;
import io.milena.metadata.ReplicaSetImage;
import java.util.Objects;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Which replica a consumer had better fetch from, where {@code replica.selector.class} asks for one
 * (KIP-392): an in-sync one in the consumer's rack, if the leader is elsewhere.
 */
public final class ClosestReplica {

  /** The selector that knows racks; any other value leaves consumers with the leader. */
  public static final String RACK_AWARE =
      "org.apache.kafka.common.replica.RackAwareReplicaSelector";

  private final boolean isRackAware;

  /**
   * @param selectorClass the node's {@code replica.selector.class}, null if it is not set
   */
  public ClosestReplica(@Nullable String selectorClass) {
    this.isRackAware = RACK_AWARE.equals(selectorClass);
  }

  /**
   * The replica to fetch from instead of the leader; empty where the leader will do.
   *
   * @param rack of the consumer; empty if it did not say
   * @param listener that the consumer came in by: the replica must have it too
   */
  OptionalInt choose(MetadataImage image, ReplicaSetImage set, String rack, String listener) {
    if (!isRackAware || rack.isEmpty() || isIn(rack, image.nodes().get(set.leader()))) {
      return OptionalInt.empty();
    }
    return set.replicas().stream()
        .filter(set.isr()::contains)
        .map(image.nodes()::get)
        .filter(Objects::nonNull)
        .filter(node -> isIn(rack, node) && !node.controlledShutdown())
        .filter(node -> PartitionDescription.endpoint(node, listener) != null)
        .mapToInt(NodeImage::id)
        .findFirst();
  }

  private static boolean isIn(String rack, @Nullable NodeImage node) {
    return node != null && node.rack().filter(rack::equals).isPresent();
  }
}
