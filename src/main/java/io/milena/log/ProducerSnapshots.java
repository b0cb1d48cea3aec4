package io.milena.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.NavigableSet;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The producer snapshot files of one partition, in Kafka's format, so that opening a log need not
 * read it from its start. The name of a file is the offset (exclusive) up to which it reflects the
 * log, in 20 digits, and {@code .snapshot}.
 *
 * <pre>
 *  0 version      int16   1
 *  2 CRC-32C      uint32  of everything from byte 6
 *  6 producers    int32
 * 10 for each of them, 46 bytes:
 *    producer id int64, epoch int16, last sequence int32, last offset int64, offset delta int32,
 *    timestamp int64, coordinator epoch int32, first offset of the open transaction int64
 * </pre>
 *
 * Upstream: ProducerSnapshot.json, ProducerStateManager. Owned by one thread.
 */
final class ProducerSnapshots {

  static final String SUFFIX = ".snapshot";

  private static final Logger LOG = LoggerFactory.getLogger(ProducerSnapshots.class);
  private static final short VERSION = 1;
  private static final int CRC_POSITION = 2;
  private static final int ENTRIES_POSITION = 6;
  private static final int HEADER_BYTES = 10;
  private static final int ENTRY_BYTES = 46;
  private static final int OFFSET_DIGITS = 20;

  private final Path directory;
  private final NavigableSet<Long> offsets = new TreeSet<>();

  private ProducerSnapshots(Path directory) {
    this.directory = directory;
  }

  /** Lists the snapshots in a partition's directory; reads none of them yet. */
  static ProducerSnapshots open(Path directory) throws IOException {
    ProducerSnapshots snapshots = new ProducerSnapshots(directory);
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        String digits = name.substring(0, name.length() - SUFFIX.length());
        if (digits.length() == OFFSET_DIGITS && digits.chars().allMatch(Character::isDigit)) {
          snapshots.offsets.add(Long.parseLong(digits));
        }
      }
    }
    return snapshots;
  }

  /** Offsets of the snapshots there are, ascending. */
  List<Long> offsets() {
    return List.copyOf(offsets);
  }

  OptionalLong latestOffset() {
    return offsets.isEmpty() ? OptionalLong.empty() : OptionalLong.of(offsets.last());
  }

  /**
   * Writes the state as of its end offset, unless that snapshot exists.
   *
   * @param sync whether to force it to disk; a torn file is recognised and dropped in any case
   */
  void take(ProducerStates states, boolean sync) throws IOException {
    long offset = states.endOffset();
    if (offsets.contains(offset)) {
      return;
    }
    ByteBuffer bytes = encode(states.snapshot());
    try (FileChannel channel =
        FileChannel.open(
            file(offset),
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      if (sync) {
        channel.force(true);
      }
    }
    offsets.add(offset);
  }

  /**
   * Brings the states to the newest snapshot within the log. Snapshots outside of the log and
   * damaged ones are deleted. The caller then replays the log from {@link
   * ProducerStates#endOffset()} to {@code logEndOffset}.
   *
   * @param logStartOffset a snapshot at or before it says nothing about the log
   * @param logEndOffset inclusive bound of the snapshots that are of use
   * @param expirationMs producers silent for so long are left out
   */
  void reload(
      ProducerStates states, long logStartOffset, long logEndOffset, long nowMs, long expirationMs)
      throws IOException {
    for (long offset : offsets()) {
      if (offset > logEndOffset || offset <= logStartOffset) {
        delete(offset);
      }
    }
    while (!offsets.isEmpty()) {
      long offset = offsets.last();
      try {
        states.load(decode(Files.readAllBytes(file(offset))), offset, nowMs, expirationMs);
        return;
      } catch (CorruptSnapshotException e) {
        LOG.warn(
            "Producer snapshot {} is damaged ({}): deleted, its content is rebuilt from the log",
            file(offset),
            e.getMessage());
        delete(offset);
      }
    }
    states.reset(logStartOffset);
  }

  /** Deletes the snapshots before an offset: the log does not reach back to them. */
  void deleteBefore(long offset) throws IOException {
    for (long old : List.copyOf(offsets.headSet(offset, false))) {
      delete(old);
    }
  }

  /**
   * Keeps the snapshots at the base offsets of segments, and the newest of all; deletes the others.
   */
  void retain(Collection<Long> segmentBaseOffsets) throws IOException {
    Set<Long> kept = new HashSet<>(segmentBaseOffsets);
    for (long offset : offsets()) {
      if (!kept.contains(offset) && offset != offsets.last()) {
        delete(offset);
      }
    }
  }

  /** Deletes the snapshot at an offset, if there is one. */
  void delete(long offset) throws IOException {
    Files.deleteIfExists(file(offset));
    offsets.remove(offset);
  }

  private Path file(long offset) {
    return directory.resolve(String.format(Locale.ROOT, "%020d", offset) + SUFFIX);
  }

  static ByteBuffer encode(List<ProducerSnapshotEntry> entries) {
    ByteBuffer bytes =
        ByteBuffer.allocate(
            Math.addExact(HEADER_BYTES, Math.multiplyExact(entries.size(), ENTRY_BYTES)));
    bytes.putShort(VERSION).putInt(0).putInt(entries.size());
    for (ProducerSnapshotEntry entry : entries) {
      bytes
          .putLong(entry.producerId())
          .putShort(entry.epoch())
          .putInt(entry.lastSequence())
          .putLong(entry.lastOffset())
          .putInt(entry.offsetDelta())
          .putLong(entry.timestampMs())
          .putInt(entry.coordinatorEpoch())
          .putLong(entry.openTransactionFirstOffset());
    }
    return bytes.flip().putInt(CRC_POSITION, crc(bytes.array()));
  }

  static List<ProducerSnapshotEntry> decode(byte[] file) throws CorruptSnapshotException {
    if (file.length < HEADER_BYTES) {
      throw new CorruptSnapshotException("only " + file.length + " bytes long");
    }
    ByteBuffer bytes = ByteBuffer.wrap(file);
    short version = bytes.getShort();
    if (version != VERSION) {
      throw new CorruptSnapshotException("version " + version + " is not known");
    }
    int storedCrc = bytes.getInt();
    if (storedCrc != crc(file)) {
      throw new CorruptSnapshotException("wrong checksum");
    }
    int count = bytes.getInt();
    if (count < 0 || (long) count * ENTRY_BYTES != bytes.remaining()) {
      throw new CorruptSnapshotException(count + " producers in " + bytes.remaining() + " bytes");
    }
    List<ProducerSnapshotEntry> entries = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      entries.add(
          new ProducerSnapshotEntry(
              bytes.getLong(),
              bytes.getShort(),
              bytes.getInt(),
              bytes.getLong(),
              bytes.getInt(),
              bytes.getLong(),
              bytes.getInt(),
              bytes.getLong()));
    }
    return entries;
  }

  private static int crc(byte[] file) {
    CRC32C crc = new CRC32C();
    crc.update(file, ENTRIES_POSITION, file.length - ENTRIES_POSITION);
    return (int) crc.getValue();
  }

  /** A snapshot file that cannot be believed. */
  static final class CorruptSnapshotException extends Exception {
    CorruptSnapshotException(String message) {
      super(message);
    }
  }
}
