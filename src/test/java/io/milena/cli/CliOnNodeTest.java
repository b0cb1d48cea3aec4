package io.milena.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.node.TestNode;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command against a node: what it says and what it ends with. */
@Timeout(120)
class CliOnNodeTest {

  @TempDir static Path directory;

  private static TestNode node;
  private static Path lines;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeAll
  static void start() throws Exception {
    node = TestNode.start(directory.resolve("data"), Map.of("auto.create.topics.enable", "false"));
    lines = Files.writeString(directory.resolve("lines"), "a\nb\nc\n");
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @ParameterizedTest
  @CsvSource({
    "2, topics create t2 --config cleanup.policy=sometimes",
    "2, topics create t2 --config no.such.setting=1",
    "2, topics create t2 --partitions 0",
    "2, topics create t2 --replication-factor 9",
    "2, topics create no/slash",
    "2, topics alter known --config retention.ms=soon",
    "2, topics alter known --partitions 1",
    "2, produce known --acks maybe LINES",
    "2, produce known --compression zip LINES",
    "3, topics describe nowhere",
    "3, topics delete nowhere",
    "3, produce nowhere /dev/null",
    "3, produce known /no/such/file",
    "3, consume nowhere",
    "3, consume known --partition 5",
    "3, consume known --offset 4",
    "3, groups describe nobody",
    "5, topics create known",
  })
  void whatIsRefusedEndsAsTheHelpSays(int exitCode, String arguments) {
    assertThat(run("topics create known --partitions 1 --if-not-exists")).isEqualTo(ExitCode.OK);
    if (exitCode == ExitCode.NOT_FOUND) {
      assertThat(run("topics delete known")).isEqualTo(ExitCode.OK);
      assertThat(run("topics create known --partitions 1")).isEqualTo(ExitCode.OK);
      assertThat(run("produce known LINES")).isEqualTo(ExitCode.OK);
    }
    err.getBuffer().setLength(0);
    assertThat(run(arguments)).as("%s%n%s", out, err).isEqualTo(exitCode);
    assertThat(err.toString()).contains("milena: ").doesNotContain("\tat ");
  }

  @Test
  void nothingToSendToATopicThatExistsIsNoError() {
    assertThat(run("topics create empty")).isEqualTo(ExitCode.OK);
    assertThat(run("produce empty /dev/null")).isEqualTo(ExitCode.OK);
    assertThat(err.toString()).contains("produced 0 records");
  }

  @Test
  void anOffsetThatOnlySomePartitionsHaveIsARemark() {
    assertThat(run("topics create uneven --partitions 2")).isEqualTo(ExitCode.OK);
    assertThat(run("produce uneven --partition 1 LINES")).isEqualTo(ExitCode.OK);
    assertThat(run("consume uneven --offset 2 --format ")).isEqualTo(ExitCode.OK);
    assertThat(err.toString()).contains("uneven-0 has no offset 2: it is empty");
    assertThat(run("consume uneven --offset 4")).isEqualTo(ExitCode.NOT_FOUND);
    assertThat(err.toString()).contains("uneven-1 has no offset 4: it holds 0 to 2");
  }

  @Test
  void theClusterIsShownForPeopleAndForScripts() {
    assertThat(run("topics create shown --partitions 3")).isEqualTo(ExitCode.OK);
    assertThat(run("cluster")).as(err.toString()).isEqualTo(ExitCode.OK);
    assertThat(out.toString()).contains("0 without a leader, 0 under-replicated", "live");
    assertThat(run("cluster --output json")).isEqualTo(ExitCode.OK);
    assertThat(out.toString())
        .contains("\"partitionsWithoutLeader\" : 0", "\"troubles\" : [ ]", "\"fenced\" : false");
  }

  private int run(String arguments) {
    return Main.commandLine(false)
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(
            Stream.concat(
                    Stream.of(arguments.replace("LINES", lines.toString()).split(" ", -1)),
                    Stream.of("--bootstrap", node.bootstrap()))
                .toArray(String[]::new));
  }
}
