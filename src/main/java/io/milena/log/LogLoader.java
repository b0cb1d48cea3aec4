package io.milena.log;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/**
 * Opens the files of a log: finishes or undoes what a crash interrupted, checks what was not
 * flushed, and works out everything that {@link PartitionLog} keeps in memory.
 *
 * <p>After a clean stop nothing is read but the end of the active segment. Otherwise every segment
 * from the one that holds the recovery point on is read and checked from end to end; at the first
 * batch that is not whole and sound the log ends.
 */
final class LogLoader {

  static final String EPOCHS_FILE = "leader-epoch-checkpoint";

  private final Path directory;
  private final LogConfig config;
  private final PartitionLog.OpenState state;
  private final long nowMs;
  private final long producerExpirationMs;

  final RecoveryReport.Builder report = new RecoveryReport.Builder();
  final TreeMap<Long, Segment> segments = new TreeMap<>();
  final ProducerStates producers;
  final ProducerSnapshots snapshots;
  LeaderEpochHistory epochs;
  final LeaderEpochHistory savedEpochs;
  long logStartOffset;
  long logEndOffset;

  LogLoader(
      Path directory,
      LogConfig config,
      PartitionLog.OpenState state,
      long nowMs,
      long producerExpirationMs)
      throws IOException {
    this.directory = directory;
    this.config = config;
    this.state = state;
    this.nowMs = nowMs;
    this.producerExpirationMs = producerExpirationMs;
    this.logStartOffset = state.logStartOffset();
    this.producers = new ProducerStates(logStartOffset);
    removeLeftovers();
    SegmentSwap.recover(directory);
    this.snapshots = ProducerSnapshots.open(directory);
    this.savedEpochs = CheckpointFile.readEpochs(directory.resolve(EPOCHS_FILE));
    this.epochs = savedEpochs;
  }

  /** Files that waited for their deletion, and replacements that a crash cut short. */
  private void removeLeftovers() throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        if (name.endsWith(LogFiles.DELETED) || name.endsWith(".tmp")) {
          Files.delete(file);
        }
      }
    }
  }

  void load() throws IOException {
    Set<String> damagedIndexes = listSegments();
    long scanFrom = firstOffsetToScan();
    for (Segment segment : new ArrayList<>(segments.values())) {
      if (segment.baseOffset() < scanFrom && damagedIndexes.contains(segment.file().toString())) {
        rebuildIndexes(segment);
      }
    }
    if (!segments.isEmpty()) {
      logStartOffset = Math.max(logStartOffset, segments.firstKey());
    }
    loadProducers(scanFrom);
    scan(scanFrom);
    openActive();
    epochs = epochs.truncatedToEnd(logEndOffset).truncatedFromStart(logStartOffset);
  }

  /** Lists the segments; returns the log files whose indexes are missing or of an odd size. */
  private Set<String> listSegments() throws IOException {
    Set<String> indexes = new HashSet<>();
    List<Path> indexFiles = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        long offset = LogFiles.offsetOf(name);
        if (offset < 0) {
          continue;
        }
        if (name.endsWith(LogFiles.LOG)) {
          segments.put(offset, Segment.existing(directory, offset));
        } else if (name.endsWith(LogFiles.OFFSET_INDEX)
            || name.endsWith(LogFiles.TIME_INDEX)
            || name.endsWith(LogFiles.TRANSACTION_INDEX)) {
          indexes.add(name);
          indexFiles.add(file);
        }
      }
    }
    for (Path file : indexFiles) {
      if (!segments.containsKey(LogFiles.offsetOf(file.getFileName().toString()))) {
        Files.deleteIfExists(file);
      }
    }
    Set<String> damaged = new HashSet<>();
    for (Segment segment : segments.values()) {
      String prefix = LogFiles.prefix(segment.baseOffset());
      if (indexes.contains(prefix + LogFiles.TRANSACTION_INDEX)) {
        segment.openTransactions();
      }
      if (!sound(indexes, prefix + LogFiles.OFFSET_INDEX, SegmentIndex.Kind.OFFSET)
          || !sound(indexes, prefix + LogFiles.TIME_INDEX, SegmentIndex.Kind.TIME)) {
        damaged.add(segment.file().toString());
      }
    }
    return damaged;
  }

  private boolean sound(Set<String> present, String name, SegmentIndex.Kind kind)
      throws IOException {
    return present.contains(name) && Files.size(directory.resolve(name)) % kind.entryBytes == 0;
  }

  /** Base offset of the first segment that must be checked; the maximum when none must. */
  private long firstOffsetToScan() {
    if (state.cleanShutdown() || segments.isEmpty()) {
      return Long.MAX_VALUE;
    }
    Long floor = segments.floorKey(state.recoveryPoint());
    return floor == null ? segments.firstKey() : floor;
  }

  /** Brings producer state to the beginning of the segments to scan, or to the end of the log. */
  private void loadProducers(long upTo) throws IOException {
    long bound = segments.isEmpty() ? -1 : upTo;
    snapshots.reload(producers, logStartOffset, bound, nowMs, producerExpirationMs);
    ProducerReplay.replay(segments.headMap(upTo, false).values(), producers);
  }

  private void scan(long from) throws IOException {
    boolean cut = false;
    long nextOffset = -1;
    for (Segment segment : new ArrayList<>(segments.tailMap(from, true).values())) {
      if (cut || segment.baseOffset() < nextOffset) {
        report.deletedSegments++;
        report.cutBytes += segment.sizeBytes();
        segments.remove(segment.baseOffset());
        segment.dispose();
        continue;
      }
      int size = segment.sizeBytes();
      report.scannedSegments++;
      report.scannedBytes += size;
      segment.rewind();
      BatchScanner scanner = BatchScanner.verifying(segment.channel(), 0, size);
      String fault = null;
      nextOffset = segment.baseOffset();
      for (BatchHeader batch = scanner.next(); batch != null; batch = scanner.next()) {
        if (batch.baseOffset() < nextOffset
            || batch.lastOffset() - segment.baseOffset() > Integer.MAX_VALUE) {
          fault = "base offset " + batch.baseOffset() + " does not belong here";
          break;
        }
        segment.noteBatch(batch, config.indexIntervalBytes());
        ProducerReplay.note(producers, segment, scanner.producerBytes(), 0);
        if (batch.leaderEpoch() > epochs.latestEpoch()) {
          epochs = epochs.with(batch.leaderEpoch(), batch.baseOffset());
        }
        nextOffset = batch.nextOffset();
      }
      fault = fault == null ? scanner.fault() : fault;
      if (fault != null && nextOffset < state.recoveryPoint()) {
        // This was on disk, and acknowledged: cutting it off would lose it without a word.
        throw LogFailedException.damagedRecords(
            directory,
            segment.file().getFileName()
                + ": "
                + fault
                + " at offset "
                + nextOffset
                + ", below the recovery point "
                + state.recoveryPoint());
      }
      if (fault != null) {
        cut = true;
        report.cutBytes += size - segment.sizeBytes();
        report.faults.add(segment.file().getFileName() + ": " + fault);
        segment.trimFile();
      }
      segment.seal();
    }
  }

  private void rebuildIndexes(Segment segment) throws IOException {
    int size = segment.sizeBytes();
    report.rebuiltIndexes++;
    report.scannedBytes += size;
    segment.resetSize();
    BatchScanner scanner = BatchScanner.headers(segment.channel(), 0, size);
    for (BatchHeader batch = scanner.next(); batch != null; batch = scanner.next()) {
      segment.noteBatch(batch, config.indexIntervalBytes());
    }
    if (scanner.fault() != null) {
      throw LogFailedException.damagedRecords(
          directory,
          segment.file().getFileName() + ": " + scanner.fault() + ", below the recovery point");
    }
    segment.seal();
    segment.writeIndexes(true);
  }

  private void openActive() throws IOException {
    if (!segments.isEmpty()) {
      Segment active = segments.lastEntry().getValue();
      SegmentIndex offsets = active.offsetIndex();
      SegmentIndex times = active.timeIndex();
      active.unseal(offsets.onHeap(), times.onHeap());
      logEndOffset = active.restoreCounters();
      if (logEndOffset >= logStartOffset) {
        return;
      }
      // The log start offset was moved past what has survived.
      for (Segment segment : segments.values()) {
        report.deletedSegments++;
        segment.dispose();
      }
      segments.clear();
    }
    segments.put(logStartOffset, Segment.create(directory, logStartOffset, nowMs));
    logEndOffset = logStartOffset;
    producers.reset(logStartOffset);
  }
}
