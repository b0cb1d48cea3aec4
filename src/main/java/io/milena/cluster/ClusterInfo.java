package io.milena.cluster;

import io.milena.metadata.MetadataImage;
import io.milena.metadata.NodeImage;
import io.milena.metadata.NodeImage.ClusterAddress;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.kafka.common.Uuid;

/**
 * What a node must know of a cluster to join it, or to find the others again when it starts.
 *
 * @param clusterId of the cluster
 * @param nodes every registered node, by id
 */
public record ClusterInfo(Uuid clusterId, List<Member> nodes) {

  /**
   * A registered node.
   *
   * @param nodeEpoch of the registration that the address is from
   */
  public record Member(int nodeId, long nodeEpoch, ClusterAddress address) {}

  public ClusterInfo {
    nodes = List.copyOf(nodes);
  }

  /** What an image says; of a cluster that has its id. */
  public static ClusterInfo of(MetadataImage image) {
    return new ClusterInfo(
        image.clusterId().orElseThrow(),
        image.nodes().values().stream()
            .sorted(Comparator.comparingInt(NodeImage::id))
            .map(node -> new Member(node.id(), node.nodeEpoch(), node.clusterAddress()))
            .toList());
  }

  /** One above the largest id there is. */
  public int nextNodeId() {
    return 1 + nodes.stream().mapToInt(Member::nodeId).max().orElse(0);
  }

  /**
   * As an answer to CLUSTER_INFO, version 0: cluster id (2 x int64), number of nodes (int32), and
   * of each id (int32), node epoch (int64), host (UTF), port (int32).
   */
  public byte[] encode() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeLong(clusterId.getMostSignificantBits());
      out.writeLong(clusterId.getLeastSignificantBits());
      out.writeInt(nodes.size());
      for (Member node : nodes) {
        out.writeInt(node.nodeId());
        out.writeLong(node.nodeEpoch());
        out.writeUTF(node.address().host());
        out.writeInt(node.address().port());
      }
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return bytes.toByteArray();
  }

  /**
   * Reads {@link #encode}'s bytes.
   *
   * @throws IOException where they are something else
   */
  public static ClusterInfo decode(ByteBuffer body) throws IOException {
    byte[] bytes = new byte[body.remaining()];
    body.get(bytes);
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      Uuid clusterId = new Uuid(in.readLong(), in.readLong());
      int count = in.readInt();
      List<Member> nodes = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        nodes.add(
            new Member(
                in.readInt(), in.readLong(), new ClusterAddress(in.readUTF(), in.readInt())));
      }
      return new ClusterInfo(clusterId, nodes);
    }
  }
}
