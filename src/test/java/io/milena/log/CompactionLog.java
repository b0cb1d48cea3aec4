package io.milena.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.FileRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/** A log for compaction tests: segment files written directly, and what they should mean. */
final class CompactionLog {

  /** A record as read back: the key may be empty in control records only. */
  record Stored(long offset, String key, @Nullable String value) {}

  final Path directory;
  final ProducerStates producers = new ProducerStates(0);
  final List<Stored> written = new ArrayList<>();
  final Set<Long> abortedOffsets = new HashSet<>();
  private final Map<Long, List<Long>> openOffsets = new TreeMap<>();
  private long baseOffset;
  private @Nullable TransactionIndex index;

  CompactionLog(Path directory) throws IOException {
    this.directory = directory;
    Files.createFile(log(0));
  }

  private Path log(long base) {
    return LogFiles.file(directory, base, LogFiles.LOG);
  }

  long endOffset() {
    return producers.endOffset();
  }

  /** Appends a batch that was built at {@link #endOffset()}. */
  void append(MemoryRecords records) throws IOException {
    Files.write(log(baseOffset), Batches.copyOf(records), StandardOpenOption.APPEND);
    for (RecordBatch batch : records.batches()) {
      if (!batch.isControlBatch()) {
        for (Record record : batch) {
          written.add(stored(record));
          if (batch.isTransactional()) {
            openOffsets
                .computeIfAbsent(batch.producerId(), _ -> new ArrayList<>())
                .add(record.offset());
          }
        }
      }
    }
    CompletedTransaction completed = producers.update(records.buffer(), 0);
    if (completed != null) {
      List<Long> offsets = openOffsets.remove(completed.producerId());
      if (completed.aborted()) {
        abortedOffsets.addAll(offsets == null ? List.of() : offsets);
        if (index == null) {
          index =
              TransactionIndex.open(
                  LogFiles.file(directory, baseOffset, LogFiles.TRANSACTION_INDEX), baseOffset);
        }
        index.append(
            new TransactionIndex.Entry(
                completed.producerId(),
                completed.firstOffset(),
                completed.lastOffset(),
                producers.lastStableOffset(completed)));
      }
      producers.complete(completed);
    }
  }

  void roll() throws IOException {
    if (endOffset() > baseOffset) {
      close();
      baseOffset = endOffset();
      Files.createFile(log(baseOffset));
    }
  }

  void close() throws IOException {
    if (index != null) {
      index.close();
      index = null;
    }
  }

  long lastStableOffset() {
    return producers.firstUndecidedOffset().orElse(endOffset());
  }

  static CompactionPlanner.Log describe(
      Path directory, LogConfig config, long lastStableOffset, long checkpoint) throws IOException {
    List<CompactionSource> segments = new ArrayList<>();
    for (Path file : logFiles(directory)) {
      segments.add(
          new CompactionSource(
              LogFiles.offsetOf(file.getFileName().toString()),
              file,
              (int) Files.size(file),
              0,
              0));
    }
    return new CompactionPlanner.Log(
        new TopicPartition("t", 0), config, segments, 0, lastStableOffset, checkpoint);
  }

  static List<Path> logFiles(Path directory) throws IOException {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory, "*" + LogFiles.LOG)) {
      stream.forEach(files::add);
    }
    files.sort(null);
    return files;
  }

  /** All batches of a directory in order, checked: sound, in their segment, offsets ascending. */
  static List<RecordBatch> batches(Path directory) throws IOException {
    List<RecordBatch> batches = new ArrayList<>();
    long nextOffset = 0;
    for (Path file : logFiles(directory)) {
      long base = LogFiles.offsetOf(file.getFileName().toString());
      if (base < nextOffset) {
        throw new AssertionError(
            file + " overlaps the segment before, which ends at " + nextOffset);
      }
      byte[] bytes = Files.readAllBytes(file);
      int parsed = 0;
      for (RecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)).batches()) {
        batch.ensureValid();
        if (batch.baseOffset() < nextOffset || batch.baseOffset() < base) {
          throw new AssertionError(
              file + ": offset " + batch.baseOffset() + " after " + nextOffset);
        }
        nextOffset = batch.nextOffset();
        parsed += batch.sizeInBytes();
        batches.add(batch);
      }
      if (parsed != bytes.length) {
        throw new AssertionError(file + " has " + (bytes.length - parsed) + " stray bytes");
      }
      checkIndex(file, base);
    }
    return batches;
  }

  private static void checkIndex(Path file, long base) throws IOException {
    Path indexFile = file.resolveSibling(LogFiles.prefix(base) + LogFiles.OFFSET_INDEX);
    if (!Files.exists(indexFile)) {
      return;
    }
    SegmentIndex index = SegmentIndex.map(SegmentIndex.Kind.OFFSET, indexFile);
    try (FileRecords records = FileRecords.open(file.toFile(), false)) {
      for (int i = 0; i < index.count(); i++) {
        RecordBatch batch = records.batchesFrom(index.position(i)).iterator().next();
        if (batch.lastOffset() != base + index.relativeOffset(i)) {
          throw new AssertionError(indexFile + ": entry " + i + " points to " + batch);
        }
      }
    }
  }

  static List<Stored> records(Path directory) throws IOException {
    List<Stored> records = new ArrayList<>();
    for (RecordBatch batch : batches(directory)) {
      if (!batch.isControlBatch()) {
        batch.forEach(record -> records.add(stored(record)));
      }
    }
    return records;
  }

  /** The newest value of each key, without deleted keys and aborted records. */
  static Map<String, String> table(List<Stored> records, Set<Long> aborted) {
    Map<String, String> table = new TreeMap<>();
    for (Stored record : records) {
      if (aborted.contains(record.offset())) {
        continue;
      }
      String value = record.value();
      if (value == null) {
        table.remove(record.key());
      } else {
        table.put(record.key(), value);
      }
    }
    return table;
  }

  private static Stored stored(Record record) {
    return new Stored(
        record.offset(),
        java.util.Objects.requireNonNull(text(record.key())),
        record.hasValue() ? text(record.value()) : null);
  }

  private static String text(ByteBuffer buffer) {
    return StandardCharsets.UTF_8.decode(buffer).toString();
  }
}
