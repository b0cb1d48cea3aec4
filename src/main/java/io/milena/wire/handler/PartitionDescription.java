package io.milena.wire.handler;

import io.milena.metadata.MetadataImage;
import io.milena.metadata.NodeImage;
import io.milena.metadata.PartitionImage;
import io.milena.metadata.ReplicaSetImage;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * A partition as clients of one listener see it.
 *
 * @param error LEADER_NOT_AVAILABLE without a leader that lives, LISTENER_NOT_FOUND if the leader
 *     does not have the client's listener
 * @param leader node id, or -1 with an error
 * @param set leader epoch, replicas and the rest
 * @param offlineReplicas assigned replicas that clients of this listener cannot reach, or whose
 *     logs cannot be used
 */
record PartitionDescription(
    Errors error, int leader, ReplicaSetImage set, List<Integer> offlineReplicas) {

  static PartitionDescription of(MetadataImage image, PartitionImage partition, String listener) {
    ReplicaSetImage set = image.replicaSetOf(partition);
    List<Integer> offline = new ArrayList<>();
    for (int replica : set.replicas()) {
      if (set.offline().contains(replica)
          || endpoint(image.nodes().get(replica), listener) == null) {
        offline.add(replica);
      }
    }
    NodeImage leader = image.nodes().get(set.leader());
    Errors error =
        leader == null || leader.fenced()
            ? Errors.LEADER_NOT_AVAILABLE
            : endpoint(leader, listener) == null ? Errors.LISTENER_NOT_FOUND : Errors.NONE;
    return new PartitionDescription(
        error, error == Errors.NONE ? set.leader() : ReplicaSetImage.NO_LEADER, set, offline);
  }

  /**
   * Where clients of a listener reach a node; null if it is fenced or does not have the listener.
   */
  static NodeImage.@Nullable Endpoint endpoint(@Nullable NodeImage node, String listener) {
    return node == null || node.fenced() ? null : endpointEvenIfFenced(node, listener);
  }

  /** Where clients of a listener would reach a node; null if it does not have the listener. */
  static NodeImage.@Nullable Endpoint endpointEvenIfFenced(NodeImage node, String listener) {
    for (NodeImage.Endpoint endpoint : node.endpoints()) {
      if (endpoint.listener().equals(listener)) {
        return endpoint;
      }
    }
    return null;
  }
}
