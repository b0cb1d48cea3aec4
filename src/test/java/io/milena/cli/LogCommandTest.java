package io.milena.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.milena.common.Clock;
import io.milena.log.AppendOrigin;
import io.milena.log.LogConfig;
import io.milena.log.LogDirectory;
import io.milena.log.PartitionLog;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class LogCommandTest {

  private static final int BATCHES = 10;

  @TempDir Path data;
  private StringWriter out;
  private StringWriter err;

  @BeforeEach
  void writeLogs() {
    try (LogDirectory logs = LogDirectory.open(data.resolve("partitions"))) {
      for (String topic : new String[] {"bad", "good"}) {
        TopicPartition partition = new TopicPartition(topic, 0);
        PartitionLog log =
            PartitionLog.open(
                    logs.logPath(partition),
                    partition,
                    Optional.of(Uuid.randomUuid()),
                    LogConfig.of(Map.of()),
                    Clock.system(),
                    PartitionLog.OpenState.UNKNOWN)
                .log();
        for (int i = 0; i < BATCHES; i++) {
          MemoryRecords batch =
              MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(new byte[100]));
          log.appendAsLeader(batch, 0, AppendOrigin.CLIENT, System.currentTimeMillis());
        }
        log.close();
      }
      logs.writeRecoveryPoints(
          Map.of(new TopicPartition("bad", 0), 10L, new TopicPartition("good", 0), 10L));
      logs.markCleanShutdown();
    }
  }

  private int run(String... arguments) {
    out = new StringWriter();
    err = new StringWriter();
    CommandLine command = Main.commandLine(false);
    command.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    return command.execute(arguments);
  }

  private void tear() throws IOException {
    Path file = data.resolve("partitions/bad-0/00000000000000000000.log");
    try (RandomAccessFile log = new RandomAccessFile(file.toFile(), "rw")) {
      log.setLength(log.length() * 7 / 10 - 20);
    }
  }

  @Test
  void soundLogsAreListedAndTheExitCodeSaysSo() {
    assertThat(run("log", "check", "--data", data.toString())).isEqualTo(ExitCode.OK);
    assertThat(out.toString()).contains("bad-0", "good-0", "sound").doesNotContain("damaged");
    assertThat(run("log", "check", "--data", data.toString(), "good-0")).isEqualTo(ExitCode.OK);
    assertThat(out.toString()).contains("good-0").doesNotContain("bad-0");
  }

  @Test
  void aDamagedLogIsNamedAndCutOnlyWhenAskedWithTheOffsetsItLoses() throws Exception {
    tear();
    String directory = data.resolve("partitions/bad-0").toString();
    assertThat(run("log", "check", "--data", data.toString())).isEqualTo(ExitCode.FAILURE);
    assertThat(out.toString()).contains("damaged", "bad-0/00000000000000000000.log", "is cut");
    assertThat(err.toString()).contains("bin/milena log repair");

    assertThat(run("log", "repair", directory)).isEqualTo(ExitCode.FAILURE);
    assertThat(out.toString()).contains("--cut would lose offsets 6 to 9");
    assertThat(run("log", "repair", directory, "--cut", "--output", "json")).isEqualTo(ExitCode.OK);
    JsonNode report = JsonMapper.builder().build().readTree(out.toString()).get(0);
    assertThat(report.get("lostFrom").asLong()).isEqualTo(6);
    assertThat(report.get("lostTo").asLong()).isEqualTo(10);
    assertThat(report.get("endOffset").asLong()).isEqualTo(6);
    assertThat(run("log", "check", directory)).isEqualTo(ExitCode.OK);
  }

  @Test
  void aCutSaysWhatItHasDone() throws Exception {
    tear();
    assertThat(run("log", "repair", "--data", data.toString(), "bad-0", "--cut"))
        .isEqualTo(ExitCode.OK);
    assertThat(out.toString())
        .contains("cut 00000000000000000000.log", "lost offsets 6 to 9", "sound");
  }

  @Test
  void logsInUseAreLeftAlone() {
    try (LogDirectory _ = LogDirectory.open(data.resolve("partitions"))) {
      assertThat(run("log", "check", "--data", data.toString())).isEqualTo(ExitCode.CONFLICT);
      assertThat(err.toString()).contains("bin/milena stop --data " + data);
      assertThat(run("log", "repair", "bad-0", "--cut", "--data", data.toString()))
          .isEqualTo(ExitCode.CONFLICT);
    }
  }

  @Test
  void whatIsNotThereIsNotFound() {
    assertThat(run("log", "check", "--data", data.toString(), "other-0"))
        .isEqualTo(ExitCode.NOT_FOUND);
    assertThat(err.toString()).contains("other-0");
  }
}
