package io.milena.faults;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.FileLogInputStream.FileChannelRecordBatch;
import org.apache.kafka.common.record.internal.FileRecords;

/** The segment files of one replica, read beside the node that owns them. */
final class ReplicaFiles {

  private final Path directory;

  ReplicaFiles(Path data, TopicPartition partition) {
    directory = data.resolve("partitions").resolve(partition.toString());
  }

  /** The partition's directory. */
  Path directory() {
    return directory;
  }

  /** The segments that are sealed, oldest first. */
  List<Path> sealedSegments() throws IOException {
    List<Path> segments = segments();
    return segments.isEmpty() ? segments : segments.subList(0, segments.size() - 1);
  }

  /** All segments, oldest first. */
  List<Path> segments() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.toString().endsWith(".log")).sorted().toList();
    } catch (NoSuchFileException none) {
      return List.of();
    }
  }

  /**
   * Flips a bit in the last byte of a batch in the middle of a segment; its first and next offset.
   */
  static Damage damage(Path segment) throws IOException {
    try (FileRecords records = FileRecords.open(segment.toFile(), false);
        FileChannel channel =
            FileChannel.open(segment, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      for (FileChannelRecordBatch batch : records.batches()) {
        if (batch.position() + batch.sizeInBytes() > channel.size() / 2) {
          long position = batch.position() + batch.sizeInBytes() - 1L;
          ByteBuffer last = ByteBuffer.allocate(1);
          channel.read(last, position);
          last.put(0, (byte) (last.get(0) ^ 1));
          channel.write(last.flip(), position);
          return new Damage(batch.baseOffset(), batch.nextOffset());
        }
      }
    }
    throw new IOException("no batch in " + segment);
  }

  /**
   * A batch that is not what it was.
   *
   * @param nextOffset exclusive
   */
  record Damage(long baseOffset, long nextOffset) {}

  @Override
  public String toString() {
    return directory.toString();
  }

  /** First offset behind the last whole batch; 0 without one. */
  long endOffset() throws IOException {
    NavigableMap<Long, Batch> batches = batches(Long.MAX_VALUE);
    return batches.isEmpty() ? 0 : batches.lastEntry().getValue().nextOffset();
  }

  /**
   * Where two replicas differ below an offset, batch by batch and byte by byte; empty if nowhere.
   * Segments may be rolled at other offsets.
   */
  static List<String> differences(
      String name, ReplicaFiles first, ReplicaFiles second, long belowOffset) throws IOException {
    NavigableMap<Long, Batch> left = first.batches(belowOffset);
    NavigableMap<Long, Batch> right = second.batches(belowOffset);
    TreeMap<Long, Batch> all = new TreeMap<>(left);
    all.putAll(right);
    List<String> differences = new ArrayList<>();
    for (long offset : all.keySet()) {
      Batch one = left.get(offset);
      Batch other = right.get(offset);
      if (one == null || !one.equals(other)) {
        differences.add(
            "%s: batch at %d is %s in %s, %s in %s"
                .formatted(name, offset, one, first.directory, other, second.directory));
        if (differences.size() == 3) {
          break;
        }
      }
    }
    return differences;
  }

  /** Enough of a batch to tell whether two are the same bytes. */
  private record Batch(long nextOffset, int leaderEpoch, int sizeBytes, long crcOfAllBytes) {}

  private NavigableMap<Long, Batch> batches(long belowOffset) throws IOException {
    NavigableMap<Long, Batch> batches = new TreeMap<>();
    for (Path segment : segments()) {
      try (FileRecords records = FileRecords.open(segment.toFile(), false);
          FileChannel channel = FileChannel.open(segment, StandardOpenOption.READ)) {
        for (FileChannelRecordBatch batch : records.batches()) {
          if (batch.baseOffset() >= belowOffset) {
            break;
          }
          batches.put(
              batch.baseOffset(),
              new Batch(
                  batch.nextOffset(),
                  batch.partitionLeaderEpoch(),
                  batch.sizeInBytes(),
                  crc(channel, batch)));
        }
      }
    }
    return batches;
  }

  private static long crc(FileChannel channel, FileChannelRecordBatch batch) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(batch.sizeInBytes());
    while (bytes.hasRemaining() && channel.read(bytes, batch.position() + bytes.position()) > 0) {
      // A read may give less than was asked for.
    }
    CRC32C crc = new CRC32C();
    crc.update(bytes.flip());
    return crc.getValue();
  }
}
