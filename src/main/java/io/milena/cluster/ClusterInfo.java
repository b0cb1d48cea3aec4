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
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;

/**
 * What a node must know of a cluster to join it, or to find the others again when it starts.
 *
 * @param clusterId of the cluster
 * @param imageIndex of the image that says so
 * @param nodes every registered node, by id
 * @param fenced ids of those that are fenced
 */
public record ClusterInfo(
    Uuid clusterId, long imageIndex, List<Member> nodes, Set<Integer> fenced) {

  /**
   * A registered node.
   *
   * @param nodeEpoch of the registration that the address is from
   */
  public record Member(int nodeId, long nodeEpoch, ClusterAddress address) {}

  public ClusterInfo {
    nodes = List.copyOf(nodes);
    fenced = Set.copyOf(fenced);
  }

  /** What an image says; of a cluster that has its id. */
  public static ClusterInfo of(MetadataImage image) {
    return new ClusterInfo(
        image.clusterId().orElseThrow(),
        image.appliedIndex(),
        image.nodes().values().stream()
            .sorted(Comparator.comparingInt(NodeImage::id))
            .map(node -> new Member(node.id(), node.nodeEpoch(), node.clusterAddress()))
            .toList(),
        image.nodes().values().stream()
            .filter(NodeImage::fenced)
            .map(NodeImage::id)
            .collect(Collectors.toSet()));
  }

  /** One above the largest id there is. */
  public int nextNodeId() {
    return 1 + nodes.stream().mapToInt(Member::nodeId).max().orElse(0);
  }

  /**
   * Whether the cluster has gone on without a life of a node: its registration is not there any
   * more, or it is fenced. What was known to that node itself is not told again: it is from before
   * it was live.
   *
   * @param knownIndex of the newest image of that node
   * @return the reason, for people
   */
  public Optional<String> hasGivenUp(int nodeId, long nodeEpoch, long knownIndex) {
    if (imageIndex <= knownIndex) {
      return Optional.empty();
    }
    boolean isRegistered =
        nodes.stream().anyMatch(node -> node.nodeId() == nodeId && node.nodeEpoch() == nodeEpoch);
    if (!isRegistered) {
      return Optional.of("its registration is not there any more");
    }
    return fenced.contains(nodeId) ? Optional.of("it was fenced") : Optional.empty();
  }

  /**
   * As an answer to CLUSTER_INFO, version 0: cluster id (2 x int64), index of the image (int64),
   * number of nodes (int32), and of each id (int32), node epoch (int64), host (UTF), port (int32),
   * whether it is fenced (boolean).
   */
  public byte[] encode() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeLong(clusterId.getMostSignificantBits());
      out.writeLong(clusterId.getLeastSignificantBits());
      out.writeLong(imageIndex);
      out.writeInt(nodes.size());
      for (Member node : nodes) {
        out.writeInt(node.nodeId());
        out.writeLong(node.nodeEpoch());
        out.writeUTF(node.address().host());
        out.writeInt(node.address().port());
        out.writeBoolean(fenced.contains(node.nodeId()));
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
      long imageIndex = in.readLong();
      int count = in.readInt();
      List<Member> nodes = new ArrayList<>();
      Set<Integer> fenced = new HashSet<>();
      for (int i = 0; i < count; i++) {
        Member node =
            new Member(in.readInt(), in.readLong(), new ClusterAddress(in.readUTF(), in.readInt()));
        nodes.add(node);
        if (in.readBoolean()) {
          fenced.add(node.nodeId());
        }
      }
      return new ClusterInfo(clusterId, imageIndex, nodes, fenced);
    }
  }
}
