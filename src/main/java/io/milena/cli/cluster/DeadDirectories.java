package io.milena.cli.cluster;

import io.milena.cli.CliException;
import io.milena.cli.Failures;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.common.KafkaFuture;

/** Log directories that their nodes cannot use (KIP-112). */
final class DeadDirectories {

  private DeadDirectories() {}

  /**
   * Asks nodes that run; one that does not answer has none to name.
   *
   * @return paths by node, of the nodes that have any
   */
  static Map<Integer, List<String>> of(Admin admin, List<Integer> nodes) {
    Map<Integer, List<String>> dead = new TreeMap<>();
    admin
        .describeLogDirs(nodes)
        .descriptions()
        .forEach((node, answer) -> {
          List<String> paths = dead(node, answer);
          if (!paths.isEmpty()) {
            dead.put(node, paths);
          }
        });
    return dead;
  }

  private static List<String> dead(int node, KafkaFuture<Map<String, LogDirDescription>> answer) {
    try {
      return Failures.await(answer, "ask node " + node + " for its log directories")
          .entrySet()
          .stream()
          .filter(directory -> directory.getValue().error() != null)
          .map(Map.Entry::getKey)
          .sorted()
          .toList();
    } catch (CliException unanswered) {
      return List.of();
    }
  }
}
