package io.milena.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.milena.common.Clock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogDirectoryTest {

  private static final TopicPartition ORDERS = new TopicPartition("my-orders", 12);

  @TempDir Path path;
  private LogDirectory directory;

  @BeforeEach
  void open() {
    directory = LogDirectory.open(path);
  }

  @AfterEach
  void close() {
    directory.close();
  }

  @Test
  void checkpointsAreKafkasText() throws Exception {
    directory.writeHighWatermarks(Map.of(ORDERS, 4711L));
    assertThat(Files.readAllLines(path.resolve("replication-offset-checkpoint")))
        .isEqualTo(List.of("0", "1", "my-orders 12 4711"));
    assertThat(directory.highWatermarks()).isEqualTo(Map.of(ORDERS, 4711L));
    assertThat(directory.recoveryPoints()).isEmpty();
  }

  @Test
  void damagedCheckpointIsNamed() throws Exception {
    Files.writeString(path.resolve("recovery-point-offset-checkpoint"), "0\n2\na 0 1\n");
    assertThatThrownBy(directory::recoveryPoints)
        .isInstanceOf(LogFailedException.class)
        .hasMessageContaining("recovery-point-offset-checkpoint");
  }

  @Test
  void findsItsLogsAndTheirTopicIds() {
    Uuid id = Uuid.randomUuid();
    PartitionLog log = openLog(id);
    assertThat(directory.partitions()).isEqualTo(Map.of(ORDERS, Optional.of(id)));
    assertThatThrownBy(() -> openLog(Uuid.randomUuid()))
        .isInstanceOfSatisfying(
            LogFailedException.class,
            e -> assertThat(e.kind()).isEqualTo(LogFailedException.Kind.CORRUPT));
    log.renameForDeletion();
    assertThat(directory.partitions()).isEmpty();
    assertThat(directory.deleteLeftovers()).isEqualTo(1);
    assertThat(path).isDirectoryNotContaining(file -> file.toString().endsWith("-delete"));
  }

  @Test
  void cleanStopIsMarked() {
    assertThat(directory.wasShutDownCleanly()).isFalse();
    directory.markCleanShutdown();
    assertThat(directory.wasShutDownCleanly()).isTrue();
    directory.markInUse();
    assertThat(directory.wasShutDownCleanly()).isFalse();
  }

  @Test
  void knowsWhoseItIs() {
    assertThat(directory.meta()).isEmpty();
    var meta = new LogDirectory.Meta("cluster", 3, Uuid.randomUuid());
    directory.writeMeta(meta);
    assertThat(directory.meta()).contains(meta);
  }

  @Test
  void isUsedByOneAtATime() {
    assertThatThrownBy(() -> LogDirectory.open(path))
        .isInstanceOf(LogFailedException.class)
        .hasMessageContaining("locked");
  }

  private PartitionLog openLog(Uuid id) {
    return PartitionLog.open(
            directory.logPath(ORDERS),
            ORDERS,
            Optional.of(id),
            LogConfig.DEFAULTS,
            Clock.system(),
            PartitionLog.OpenState.UNKNOWN)
        .log();
  }
}
