package io.milena.cli.perf;

import io.milena.cli.CliException;
import io.milena.cli.Connection;
import io.milena.cli.ExitCode;
import io.milena.cli.Failures;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/** What the measurements need before they begin. */
final class PerfTopic {

  /** Any fixed seed: two runs send the same bytes. */
  private static final long PAYLOAD_SEED = 20_261_121L;

  private static final int LETTERS = 26;

  private PerfTopic() {}

  /** Makes the topic unless it exists. */
  static void ensure(Connection connection, String topic, int partitions) {
    try (Admin admin = connection.admin()) {
      Failures.await(
          admin
              .createTopics(List.of(new NewTopic(topic, Optional.of(partitions), Optional.empty())))
              .all(),
          "create topic '" + topic + "'");
    } catch (CliException e) {
      if (e.exitCode() != ExitCode.CONFLICT) {
        throw e;
      }
    }
  }

  /** Random letters, as compressible as Kafka's own producer test makes them. */
  static byte[] payload(int sizeBytes) {
    Random random = new Random(PAYLOAD_SEED);
    byte[] payload = new byte[sizeBytes];
    for (int at = 0; at < sizeBytes; at++) {
      payload[at] = (byte) ('A' + random.nextInt(LETTERS));
    }
    return payload;
  }
}
