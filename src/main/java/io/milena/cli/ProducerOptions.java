package io.milena.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerConfig;
import picocli.CommandLine.Option;

/** The options that say how records are sent, for every command that sends some. */
public final class ProducerOptions {

  @Option(
      names = {"-a", "--acks"},
      paramLabel = "ACKS",
      defaultValue = "all",
      description = "0, 1 or all. Default: ${DEFAULT-VALUE}.")
  private String acks = "all";

  @Option(
      names = {"-z", "--compression"},
      paramLabel = "TYPE",
      defaultValue = "none",
      description = "none, gzip, snappy, lz4 or zstd. Default: ${DEFAULT-VALUE}.")
  private String compression = "none";

  /** As settings of a producer. Idempotence needs acks=all, so anything less turns it off. */
  public Map<String, String> settings() {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put(ProducerConfig.ACKS_CONFIG, acks);
    settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, compression);
    settings.put(
        ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG,
        Boolean.toString(acks.equals("all") || acks.equals("-1")));
    return settings;
  }
}
