package io.milena.cluster;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.milena.metadata.NodeImage.ClusterAddress;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

/**
 * The file in a data directory that says where the other nodes were, so that a node that starts
 * again finds them without being told; and whether the node founded the cluster, which decides what
 * its metadata log begins with. A node that founded one and has not met others has no such file.
 *
 * @param founder true where the node began as the only voter of a new cluster
 * @param nodes as last registered, itself included
 */
public record KnownNodes(boolean founder, List<Known> nodes) {

  private static final String FILE = "known-nodes.json";

  /** A registered node, as in {@link ClusterInfo.Member}. */
  record Known(int nodeId, long nodeEpoch, String host, int port) {}

  public KnownNodes(
      @JsonProperty("founder") boolean founder, @JsonProperty("nodes") List<Known> nodes) {
    this.founder = founder;
    this.nodes = List.copyOf(nodes);
  }

  /** Of a cluster that this node joins or belongs to. */
  public static KnownNodes of(boolean founder, ClusterInfo cluster) {
    return new KnownNodes(
        founder,
        cluster.nodes().stream()
            .map(node ->
                new Known(
                    node.nodeId(), node.nodeEpoch(), node.address().host(), node.address().port()))
            .toList());
  }

  /** The same nodes, without where they come from. */
  public List<ClusterInfo.Member> members() {
    return nodes.stream()
        .map(node ->
            new ClusterInfo.Member(
                node.nodeId(), node.nodeEpoch(), new ClusterAddress(node.host(), node.port())))
        .toList();
  }

  /**
   * Reads a data directory's file; empty without one.
   *
   * @throws IOException where it cannot be read or is damaged; the message names it
   */
  public static Optional<KnownNodes> read(Path directory) throws IOException {
    Path file = directory.resolve(FILE);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(new JsonMapper().readValue(Files.readAllBytes(file), KnownNodes.class));
    } catch (JacksonException damaged) {
      throw new IOException(file + " is damaged: " + damaged.getOriginalMessage(), damaged);
    }
  }

  /** Replaces a data directory's file, durably. */
  public void write(Path directory) throws IOException {
    Path file = directory.resolve(FILE);
    Path temporary = directory.resolve(FILE + ".new");
    Files.write(temporary, new JsonMapper().writeValueAsBytes(this));
    try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
    Files.move(
        temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
