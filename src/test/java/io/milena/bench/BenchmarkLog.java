package io.milena.bench;

import io.milena.common.Clock;
import io.milena.log.AppendOrigin;
import io.milena.log.AppendOutcome;
import io.milena.log.LogConfig;
import io.milena.log.PartitionLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** A log with default settings in a temporary directory. */
record BenchmarkLog(PartitionLog log, Path parent) {

  static BenchmarkLog create() throws IOException {
    Path parent = Files.createTempDirectory("milena-jmh");
    TopicPartition partition = new TopicPartition("benchmark", 0);
    PartitionLog log =
        PartitionLog.open(
                parent.resolve(partition.toString()),
                partition,
                Optional.empty(),
                LogConfig.DEFAULTS,
                Clock.system(),
                PartitionLog.OpenState.UNKNOWN)
            .log();
    return new BenchmarkLog(log, parent);
  }

  /** Appends a batch, which may have been appended before: its base offset is made 0 again. */
  AppendOutcome append(MemoryRecords batch, long nowMs) {
    batch.buffer().putLong(0, 0L);
    AppendOutcome outcome = log.appendAsLeader(batch, 0, AppendOrigin.CLIENT, nowMs);
    if (!(outcome instanceof AppendOutcome.Appended)) {
      throw new IllegalStateException("not appended: " + outcome);
    }
    return outcome;
  }

  void delete() throws IOException {
    log.renameForDeletion();
    log.delete();
    Files.deleteIfExists(parent);
  }
}
