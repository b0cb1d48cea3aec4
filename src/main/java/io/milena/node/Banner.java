package io.milena.node;

/** What a node prints once it serves: where it listens, where data lies, and what to try next. */
final class Banner {

  private Banner() {}

  static String of(Node node, long startMs) {
    String kafka = node.kafkaAddresses().getFirst().toString();
    StringBuilder text = new StringBuilder();
    text.append("Milena node ")
        .append(node.nodeId())
        .append(" is ready after ")
        .append(startMs)
        .append(" ms\n");
    text.append("  Kafka protocol  ").append(kafka).append('\n');
    node.httpAddress()
        .ifPresent(http -> text.append("  HTTP            ").append(http).append('\n'));
    text.append("  data            ").append(node.dataDirectory().toAbsolutePath()).append('\n');
    String bootstrap =
        kafka.endsWith(":" + NodeConfig.DEFAULT_KAFKA_PORT) ? "" : " --bootstrap " + kafka;
    text.append("Try, in another terminal:\n");
    text.append("  bin/milena topics create hello").append(bootstrap).append('\n');
    text.append("  echo 'hello, world' | bin/milena produce hello").append(bootstrap).append('\n');
    text.append("  bin/milena consume hello").append(bootstrap).append('\n');
    return text.toString();
  }
}
