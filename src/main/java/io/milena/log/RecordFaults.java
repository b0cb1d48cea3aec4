package io.milena.log;

import io.milena.log.AppendOutcome.RecordFault;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/**
 * The rules about single records (KIP-467): a key where the topic is compacted, and a timestamp
 * within the limits. Collects who breaks them, and the largest timestamp on the way.
 */
final class RecordFaults {

  /** Faults reported at most; the whole batch is refused in any case. */
  static final int FAULTS_MAX = 1_000;

  private static final int FAULTS_IN_MESSAGE_MAX = 3;

  private final boolean needsKey;
  private final boolean checksTimestamps;
  private final long oldestMs;
  private final long newestMs;
  private List<RecordFault> faults = List.of();
  private boolean invalidTimestamp;
  private int faultCount;
  private long maxTimestampMs = RecordBatch.NO_TIMESTAMP;

  private RecordFaults(boolean needsKey, boolean checksTimestamps, long oldestMs, long newestMs) {
    this.needsKey = needsKey;
    this.checksTimestamps = checksTimestamps;
    this.oldestMs = oldestMs;
    this.newestMs = newestMs;
  }

  static RecordFaults of(LogConfig config, boolean checksTimestamps, long nowMs) {
    return new RecordFaults(
        config.compact(), checksTimestamps, oldestMs(config, nowMs), newestMs(config, nowMs));
  }

  /** Inclusive lower limit of timestamps. */
  static long oldestMs(LogConfig config, long nowMs) {
    return nowMs - config.timestampBeforeMaxMs();
  }

  /** Inclusive upper limit of timestamps. */
  static long newestMs(LogConfig config, long nowMs) {
    long limit = nowMs + config.timestampAfterMaxMs();
    return limit < nowMs ? Long.MAX_VALUE : limit;
  }

  /** True when a timestamp is within the limits, or there is none. */
  static boolean timestampFits(long timestampMs, long oldestMs, long newestMs) {
    return timestampMs == RecordBatch.NO_TIMESTAMP
        || (timestampMs >= oldestMs && timestampMs <= newestMs);
  }

  /** Looks at one record of the batch, by its index in it. */
  void check(int batchIndex, long timestampMs, boolean hasKey) {
    if (timestampMs > maxTimestampMs) {
      maxTimestampMs = timestampMs;
    }
    if (needsKey && !hasKey) {
      add(batchIndex, "a record of a compacted topic needs a key");
    } else if (checksTimestamps && !timestampFits(timestampMs, oldestMs, newestMs)) {
      invalidTimestamp = true;
      add(
          batchIndex,
          "timestamp " + timestampMs + " is outside of [" + oldestMs + ", " + newestMs + "]");
    }
  }

  private void add(int batchIndex, String message) {
    faultCount++;
    if (faults.isEmpty()) {
      faults = new ArrayList<>();
    }
    if (faults.size() < FAULTS_MAX) {
      faults.add(new RecordFault(batchIndex, message));
    }
  }

  /** The largest timestamp seen, or -1. */
  long maxTimestampMs() {
    return maxTimestampMs;
  }

  /** The refusal, when any record broke a rule. */
  AppendOutcome.@Nullable Rejected rejection() {
    if (faultCount == 0) {
      return null;
    }
    StringBuilder message = new StringBuilder();
    message.append(faultCount).append(" of the records are refused; the first: ");
    for (int i = 0; i < Math.min(faults.size(), FAULTS_IN_MESSAGE_MAX); i++) {
      RecordFault fault = faults.get(i);
      message.append(i == 0 ? "" : "; ");
      message.append("record ").append(fault.batchIndex()).append(": ").append(fault.message());
    }
    return new AppendOutcome.Rejected(
        invalidTimestamp ? Errors.INVALID_TIMESTAMP : Errors.INVALID_RECORD,
        message.toString(),
        List.copyOf(faults));
  }
}
