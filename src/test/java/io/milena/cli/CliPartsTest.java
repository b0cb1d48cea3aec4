package io.milena.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.api.Test;

class CliPartsTest {

  @Test
  void tableAlignsTextLeftAndNumbersRight() {
    assertThat(new Table("TOPIC", "N", "NOTE").row("a", 7, "x").row("longer", 120, "").lines())
        .containsExactly("TOPIC     N  NOTE", "a         7  x", "longer  120");
  }

  @Test
  void failuresAreToldWithSubjectReasonAndExitCode() {
    assertFailure(new TopicExistsException("x"), ExitCode.CONFLICT, "exists already");
    assertFailure(new GroupNotEmptyException("x"), ExitCode.CONFLICT, "members");
    assertFailure(new UnknownTopicOrPartitionException("x"), ExitCode.NOT_FOUND, "does not exist");
    assertFailure(new TimeoutException("slow"), ExitCode.UNREACHABLE, "--timeout");
    assertFailure(
        new TimeoutException("Topic t not present in metadata after 60000 ms."),
        ExitCode.NOT_FOUND,
        "topics create");
    assertFailure(new IllegalStateException("odd"), ExitCode.FAILURE, "--debug");
  }

  private static void assertFailure(RuntimeException failure, int exitCode, String text) {
    CliException told =
        Failures.failed(
            "do it", new ExecutionException(new KafkaException("constructing a client", failure)));
    assertThat(told.exitCode()).isEqualTo(exitCode);
    assertThat(told).hasMessageStartingWith("cannot do it: ").hasMessageContaining(text);
  }

  @Test
  void addressesHaveAHostAndAPort() {
    assertThat(Connection.parse("localhost:9092").getPort()).isEqualTo(9092);
    assertThat(Connection.parse("[::1]:9092").getAddress().isLoopbackAddress()).isTrue();
    for (String wrong : List.of("localhost", ":9092", "host:", "host:99999", "host:port")) {
      assertThatThrownBy(() -> Connection.parse(wrong)).hasMessageContaining("HOST:PORT");
    }
  }

  @Test
  void aNodeIsKnownByItsMainClassAndDirectory() {
    List<String> node = List.of("java", "-cp", "x", "io.milena.node.Main", "--data", "/d");
    assertThat(DataDirectory.isNodeOn(node, "/d")).isTrue();
    assertThat(DataDirectory.isNodeOn(node, "/other")).isFalse();
    assertThat(DataDirectory.isNodeOn(List.of("vi", "--data", "/d"), "/d")).isFalse();
    assertThat(DataDirectory.isNodeOn(List.of("io.milena.node.Main", "--data"), "/d")).isFalse();
  }

  @Test
  void readinessIsReadLineByLine() {
    assertThat(DataDirectory.parse("pid=7\nkafka=127.0.0.1:9092\n\nnoise\nx=a=b\n"))
        .isEqualTo(Map.of("pid", "7", "kafka", "127.0.0.1:9092", "x", "a=b"));
  }

  @Test
  void aListenerOnEveryInterfaceIsReachedOnTheLoopback() {
    assertThat(StatusCommand.reachable("0.0.0.0:9092")).isEqualTo("127.0.0.1:9092");
    assertThat(StatusCommand.reachable("[::]:9092")).isEqualTo("[::1]:9092");
    assertThat(StatusCommand.reachable("host:1")).isEqualTo("host:1");
  }

  @Test
  void durationsAreShort() {
    assertThat(StatusCommand.duration(Duration.ofSeconds(7))).isEqualTo("7 s");
    assertThat(StatusCommand.duration(Duration.ofSeconds(187))).isEqualTo("3 min 7 s");
    assertThat(StatusCommand.duration(Duration.ofMinutes(125))).isEqualTo("2 h 5 min");
    assertThat(StatusCommand.duration(Duration.ofDays(9))).isEqualTo("9 days");
  }
}
