package io.milena.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.kafka.common.TopicPartition;

/**
 * What the owner of a log keeps of it in memory. {@link LogAppender}, {@link LogFlusher}, {@link
 * LogTruncation} and {@link SegmentReplacement} work on it for {@link PartitionLog}. One thread at
 * a time; any thread reads what is volatile.
 */
final class LogState {

  final TopicPartition partition;
  final ProducerSnapshots snapshots;
  final SegmentList segments;

  Path directory;
  LogConfig config;

  /** Replaced only when the log goes on for another one, see {@link PartitionLog#switchTo}. */
  ProducerStates producers;

  long logStartOffset;
  long logEndOffset;
  LeaderEpochHistory epochs;

  /** Names have been created or removed since the directory was forced last. */
  boolean directoryDirty = true;

  /** How often something has been taken back from the end. */
  int truncations;

  /** Everything below is on disk. */
  volatile long recoveryPoint;

  volatile PublishedView view;

  private LeaderEpochHistory savedEpochs;

  LogState(Path directory, TopicPartition partition, LogConfig config, LogLoader loaded) {
    this.directory = directory;
    this.partition = partition;
    this.config = config;
    this.producers = loaded.producers;
    this.snapshots = loaded.snapshots;
    this.segments = new SegmentList(loaded.segments.values().toArray(Segment[]::new));
    this.logStartOffset = loaded.logStartOffset;
    this.logEndOffset = loaded.logEndOffset;
    this.epochs = loaded.epochs;
    this.savedEpochs = loaded.savedEpochs;
    this.view = newView();
  }

  /** Shows readers what the log is now. */
  void publish() {
    view = newView();
  }

  private PublishedView newView() {
    Segment active = segments.active();
    return new PublishedView(
        segments.array(),
        segments.sealedBytes(),
        logStartOffset,
        logEndOffset,
        active.sizeBytes(),
        active.heapOffsetIndex(),
        active.heapTimeIndex(),
        epochs);
  }

  /** Makes a later offset the first that can be read. Does not publish. */
  void moveLogStart(long offset) {
    logStartOffset = offset;
    epochs = epochs.truncatedFromStart(offset);
    producers.onLogStartOffset(offset);
  }

  /** Writes the leader epochs when their file is behind. */
  void saveEpochs() {
    if (!epochs.equals(savedEpochs)) {
      try {
        CheckpointFile.writeEpochs(directory.resolve(LogLoader.EPOCHS_FILE), epochs);
        savedEpochs = epochs;
      } catch (IOException e) {
        throw LogFailedException.of(directory, "writing " + LogLoader.EPOCHS_FILE, e);
      }
    }
  }

  /** Works producer state out anew, after the end of the log has been taken back. */
  void reloadProducers() throws IOException {
    // Time plays no part: what had expired is gone from the snapshots, or will expire again.
    snapshots.reload(producers, logStartOffset, logEndOffset, 0, Long.MAX_VALUE);
    ProducerReplay.replay(List.of(segments.array()), producers);
  }

  /** Takes segments out of the log; their files go after {@code file.delete.delay.ms}. */
  void removeSegments(int from, int to, long nowMs) throws IOException {
    if (from >= to) {
      return;
    }
    for (Segment segment : segments.remove(from, to)) {
      snapshots.delete(segment.baseOffset());
      expire(segment, nowMs);
    }
  }

  /**
   * Marks the files of a segment that leaves the log.
   *
   * @param nowMs wall-clock time from which their delay counts; 0 for none
   */
  void expire(Segment segment, long nowMs) throws IOException {
    segments.expire(segment, nowMs == 0 ? 0 : nowMs + config.fileDeleteDelayMs());
  }
}
