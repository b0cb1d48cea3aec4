package io.milena.node;

/**
 * What a node prints once it serves: where it listens, where data lies, and what to try next.
 * bin/milena start --daemon finds it in the node's log by its first and its last line.
 */
final class Banner {

  private static final String DEFAULT_BOOTSTRAP = "127.0.0.1:" + NodeConfig.DEFAULT_KAFKA_PORT;

  private Banner() {}

  /**
   * The text.
   *
   * @param startMs how long the start took
   * @param log where the node's output goes, empty when that is the terminal
   */
  static String of(Node node, long startMs, String log) {
    String listener = node.kafkaAddresses().getFirst().toString();
    String bootstrap = listener.replaceFirst("^(0\\.0\\.0\\.0|\\[::]|localhost):", "127.0.0.1:");
    String option = bootstrap.equals(DEFAULT_BOOTSTRAP) ? "" : " --bootstrap " + bootstrap;
    StringBuilder text = new StringBuilder();
    text.append(
        "Milena node %d is ready after %d ms (pid %d)\n"
            .formatted(node.nodeId(), startMs, ProcessHandle.current().pid()));
    text.append("  Kafka  ").append(listener).append('\n');
    text.append("  HTTP   ").append(node.httpAddress().orElse("off")).append('\n');
    text.append("  data   ").append(node.dataDirectory().toAbsolutePath()).append('\n');
    if (!log.isEmpty()) {
      text.append("  log    ").append(log).append('\n');
    }
    text.append(log.isEmpty() ? "Try, in another terminal:\n" : "Try next:\n");
    text.append("  bin/milena topics create hello --partitions 3").append(option).append('\n');
    text.append("  echo 'hello, world' | bin/milena produce hello").append(option).append('\n');
    text.append("  bin/milena consume hello").append(option).append('\n');
    text.append("Stop it with: ")
        .append(
            log.isEmpty()
                ? "Ctrl-C"
                : "bin/milena stop --data " + node.dataDirectory().toAbsolutePath())
        .append('\n');
    return text.toString();
  }
}
