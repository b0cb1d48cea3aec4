package io.milena.cli.cluster;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What keeps some partitions of a topic from advancing, or from being safe. Partitions of a topic
 * that are kept back alike are one trouble.
 *
 * @param partitions their numbers, ascending
 * @param state of the first of them, which stands for all
 * @param minInSync {@code min.insync.replicas} of the topic
 * @param reason in plain words: which replica is missing, and what that means
 */
record Trouble(
    Kind kind,
    String topic,
    List<Integer> partitions,
    PartitionState state,
    int minInSync,
    String reason) {

  /** From the worst to the mildest. */
  enum Kind {
    NO_LEADER,
    BELOW_MIN_IN_SYNC,
    UNDER_REPLICATED;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
  }

  Trouble {
    partitions = List.copyOf(partitions);
  }

  /**
   * Finds what is wrong.
   *
   * @param nodes the state of every node that the cluster knows
   * @param minInSync by topic; 1 where it is not known
   * @return the worst first, in the order of the partitions
   */
  static List<Trouble> find(
      List<PartitionState> partitions,
      Map<Integer, NodeState> nodes,
      Map<String, Integer> minInSync) {
    record Alike(Kind kind, String topic, int leader, Set<Integer> inSync, Set<Integer> missing) {}
    Map<Alike, List<PartitionState>> found = new LinkedHashMap<>();
    for (PartitionState partition : partitions) {
      int min = minInSync.getOrDefault(partition.topic(), 1);
      if (partition.hasLeader() && partition.missing().isEmpty()) {
        continue;
      }
      Kind kind =
          !partition.hasLeader()
              ? Kind.NO_LEADER
              : partition.inSync().size() < min ? Kind.BELOW_MIN_IN_SYNC : Kind.UNDER_REPLICATED;
      found
          .computeIfAbsent(
              new Alike(
                  kind,
                  partition.topic(),
                  kind == Kind.NO_LEADER ? PartitionState.NO_LEADER : 0,
                  Set.copyOf(partition.inSync()),
                  Set.copyOf(partition.missing())),
              _ -> new ArrayList<>())
          .add(partition);
    }
    return found.entrySet().stream()
        .map(entry -> {
          PartitionState first = entry.getValue().getFirst();
          int min = minInSync.getOrDefault(first.topic(), 1);
          return new Trouble(
              entry.getKey().kind(),
              first.topic(),
              entry.getValue().stream().map(PartitionState::partition).sorted().toList(),
              first,
              min,
              reason(entry.getKey().kind(), first, nodes, min));
        })
        .sorted((left, right) -> left.kind().compareTo(right.kind()))
        .toList();
  }

  private static String reason(
      Kind kind, PartitionState partition, Map<Integer, NodeState> nodes, int minInSync) {
    return switch (kind) {
      case NO_LEADER -> whyNoLeader(partition, nodes);
      case BELOW_MIN_IN_SYNC ->
          "acks=all is refused: in sync %s %s, min.insync.replicas is %d; %s"
              .formatted(
                  partition.inSync().size() == 1 ? "is only" : "are only",
                  nodes(partition.inSync()),
                  minInSync,
                  whyMissing(partition, nodes));
      case UNDER_REPLICATED ->
          "advances with %d of %d replicas in sync; %s"
              .formatted(
                  partition.inSync().size(),
                  partition.replicas().size(),
                  whyMissing(partition, nodes));
    };
  }

  private static String whyNoLeader(PartitionState partition, Map<Integer, NodeState> nodes) {
    Set<Integer> complete = new LinkedHashSet<>(partition.inSync());
    complete.addAll(partition.eligible());
    if (complete.isEmpty()) {
      return "nothing is read or written: no replica is known to have all records. With the topic's"
          + " unclean.leader.election.enable=true another leads, and what it misses is lost";
    }
    List<Integer> live =
        complete.stream().filter(node -> state(nodes, node) == NodeState.LIVE).toList();
    if (!live.isEmpty()) {
      return "nothing is read or written: a leader is being chosen, and can be "
          + nodes(live)
          + ", unless its log is offline there";
    }
    return "nothing is read or written: only %s %s all records, and %s; start %s again"
        .formatted(
            nodes(complete),
            complete.size() == 1 ? "has" : "have",
            complete.stream()
                .map(node ->
                    complete.size() == 1
                        ? "it " + state(nodes, node).asMissingReplica()
                        : "node " + node + " " + state(nodes, node).asMissingReplica())
                .collect(Collectors.joining(", ")),
            complete.size() == 1 ? "it" : "one of them");
  }

  private static String whyMissing(PartitionState partition, Map<Integer, NodeState> nodes) {
    return partition.missing().stream()
        .map(node -> "node " + node + " " + state(nodes, node).asMissingReplica())
        .collect(Collectors.joining(", "));
  }

  private static NodeState state(Map<Integer, NodeState> nodes, int node) {
    return nodes.getOrDefault(node, NodeState.UNKNOWN);
  }

  private static String nodes(Iterable<Integer> ids) {
    List<String> texts = new ArrayList<>();
    ids.forEach(id -> texts.add(String.valueOf(id)));
    return (texts.size() == 1 ? "node " : "nodes ") + String.join(", ", texts);
  }

  /** The partitions' numbers, runs shortened: {@code 0-3,7}. */
  String ranges() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < partitions.size(); ) {
      int last = i;
      while (last + 1 < partitions.size() && partitions.get(last + 1) == partitions.get(last) + 1) {
        last++;
      }
      text.append(text.isEmpty() ? "" : ",").append(partitions.get(i));
      if (last > i) {
        text.append('-').append(partitions.get(last));
      }
      i = last + 1;
    }
    return text.toString();
  }
}
