package io.milena.group.actor;

import io.milena.common.Clock;
import io.milena.group.ClassicGroup;
import io.milena.group.GroupConfig;
import io.milena.group.GroupRecord;
import io.milena.group.GroupRecordCodec;
import io.milena.group.Moment;
import io.milena.log.AppendOrigin;
import io.milena.log.AppendOutcome;
import io.milena.log.FileRegion;
import io.milena.log.LogView;
import io.milena.replication.Replica;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A partition of {@code __consumer_offsets} in one leadership of this node: what groups read at the
 * start and write to afterwards. Any thread.
 */
final class OffsetsLog {

  private static final Logger LOG = LoggerFactory.getLogger(OffsetsLog.class);

  /** How much is read at a time; a larger batch is read whole all the same. */
  private static final int READ_BYTES = 1 << 20;

  private static final short ALL_IN_SYNC_REPLICAS = -1;

  private final Replica replica;
  private final int leaderEpoch;
  private final GroupConfig config;
  private final Clock clock;

  /**
   * @param leaderEpoch the leadership this is for: writes in any other are refused
   */
  OffsetsLog(Replica replica, int leaderEpoch, GroupConfig config, Clock clock) {
    this.replica = replica;
    this.leaderEpoch = leaderEpoch;
    this.config = config;
    this.clock = clock;
  }

  Replica replica() {
    return replica;
  }

  int leaderEpoch() {
    return leaderEpoch;
  }

  GroupConfig config() {
    return config;
  }

  Moment now() {
    return new Moment(clock.monotonicNanos() / 1_000_000, clock.wallClockMs());
  }

  /**
   * Writes records as one batch.
   *
   * @return NONE once every in-sync replica has them, or why that failed; never fails otherwise
   */
  CompletableFuture<Errors> append(List<GroupRecord> records) {
    long timestampMs = clock.wallClockMs();
    SimpleRecord[] batch = new SimpleRecord[records.size()];
    for (int i = 0; i < batch.length; i++) {
      GroupRecord record = records.get(i);
      batch[i] =
          new SimpleRecord(
              timestampMs,
              GroupRecordCodec.encodeKey(record),
              GroupRecordCodec.encodeValue(record));
    }
    return replica
        .append(
            MemoryRecords.withRecords(Compression.NONE, batch),
            leaderEpoch,
            AppendOrigin.COORDINATOR,
            ALL_IN_SYNC_REPLICAS,
            config.offsetsCommitTimeoutMs())
        .handle((outcome, failure) -> {
          if (failure != null) {
            return Errors.forException(failure);
          }
          return switch (outcome) {
            case AppendOutcome.Appended _, AppendOutcome.Duplicate _ -> Errors.NONE;
            case AppendOutcome.Rejected rejected -> rejected.error();
          };
        })
        .toCompletableFuture();
  }

  /**
   * Reads every record there is and replays it. Blocks on the disk.
   *
   * @param wanted ids of the groups to load
   * @return groups that exist, by id, not yet resumed
   */
  Map<String, ClassicGroup> load(Predicate<String> wanted) throws IOException {
    LogView log = replica.view().log();
    Map<String, ClassicGroup> groups = new HashMap<>();
    long offset = log.logStartOffset();
    long endOffset = log.logEndOffset();
    int readBytes = READ_BYTES;
    while (offset < endOffset) {
      FileRegion region = log.read(offset, readBytes, endOffset, true);
      MemoryRecords records = RegionReader.read(region);
      long nextOffset = offset;
      for (MutableRecordBatch batch : records.batches()) {
        batch.ensureValid();
        if (!batch.isControlBatch()) {
          for (Record record : batch) {
            if (record.offset() >= offset) {
              replay(record, wanted, groups);
            }
          }
        }
        nextOffset = Math.max(nextOffset, batch.nextOffset());
      }
      if (nextOffset == offset) {
        // Compaction may have emptied the tail: nothing is left to read.
        break;
      }
      offset = nextOffset;
    }
    groups.values().removeIf(group -> !group.exists());
    return groups;
  }

  private void replay(Record record, Predicate<String> wanted, Map<String, ClassicGroup> groups) {
    if (!record.hasKey()) {
      LOG.warn(
          "{} has a record without a key at {}; left out", replica.partition(), record.offset());
      return;
    }
    GroupRecord decoded;
    try {
      decoded = GroupRecordCodec.decode(record.key(), record.hasValue() ? record.value() : null);
    } catch (RuntimeException unreadable) {
      throw new IllegalStateException(
          "cannot read the record at offset " + record.offset() + " of " + replica.partition(),
          unreadable);
    }
    if (decoded instanceof GroupRecord.Unknown unknown) {
      LOG.warn(
          "{} has a record of unknown type {} at {}; left out",
          replica.partition(),
          unknown.keyVersion(),
          record.offset());
    } else if (wanted.test(decoded.groupId())) {
      groups
          .computeIfAbsent(decoded.groupId(), groupId -> new ClassicGroup(groupId, config))
          .replay(decoded);
    }
  }
}
