package io.milena.metadata.actor;

import io.milena.raft.Membership;
import io.milena.raft.RaftConfig;
import java.time.Duration;
import java.util.Map;

/**
 * How a member of the metadata group runs.
 *
 * @param raft limits and times; names the node
 * @param initialMembership what a node without a journal starts with: the same on all first voters,
 *     or {@link Membership#EMPTY} on a node that joins later
 * @param nodeConfig the node's configuration file, under Kafka's names
 * @param seed of election timeouts; different in each life
 * @param tickInterval one tick of {@code raft}
 * @param submitTimeout how long a command may wait for a leader
 * @param silenceTimeout after which the leader fences a node that it does not hear of; zero: never
 * @param votersTarget how many nodes the leader lets vote ({@link
 *     io.milena.metadata.MembershipPlan}); 0 where the group changes on demand only
 * @param snapshotBytes of entries after which the image is written as a snapshot
 * @param journalPluginId Akka Persistence journal, empty for the configured default
 * @param snapshotPluginId Akka Persistence snapshot store, empty for the configured default
 */
public record MetadataGroupSettings(
    RaftConfig raft,
    Membership initialMembership,
    Map<String, String> nodeConfig,
    long seed,
    Duration tickInterval,
    Duration submitTimeout,
    Duration silenceTimeout,
    int votersTarget,
    long snapshotBytes,
    String journalPluginId,
    String snapshotPluginId) {

  /** Replaying this much takes some tens of milliseconds at a start. */
  public static final long DEFAULT_SNAPSHOT_BYTES = 4L * 1024 * 1024;

  public MetadataGroupSettings {
    nodeConfig = Map.copyOf(nodeConfig);
  }

  /** Of a node that is the first of a new group, with default limits and plugins. */
  public static MetadataGroupSettings ofSoleVoter(
      int nodeId, Map<String, String> nodeConfig, long seed) {
    return new MetadataGroupSettings(
        RaftConfig.defaults(nodeId),
        Membership.ofVoters(nodeId),
        nodeConfig,
        seed,
        Duration.ofMillis(50),
        Duration.ofSeconds(30),
        Duration.ZERO,
        0,
        DEFAULT_SNAPSHOT_BYTES,
        "",
        "");
  }
}
