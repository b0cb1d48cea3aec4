package io.milena.journal;

import java.io.IOException;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * Snapshots in a directory for each persistent actor. A file holds the CRC-32C of the data in its
 * first four bytes, then the data; its name is the sequence number and the timestamp. Any thread.
 */
final class SnapshotFiles {
  private static final String SUFFIX = ".snapshot";

  /** Longest file name that all file systems take. */
  private static final int DIRECTORY_NAME_MAX = 255;

  /**
   * @param timestampMs when it was taken
   */
  record Name(String persistenceId, long sequenceNumber, long timestampMs) {
    String fileName() {
      return sequenceNumber + "-" + timestampMs + SUFFIX;
    }
  }

  private final Path directory;
  private final Disk disk;

  SnapshotFiles(Path directory, Disk disk) {
    this.directory = directory;
    this.disk = disk;
  }

  /** Newest first. */
  List<Name> list(String persistenceId) throws IOException {
    Path home = home(persistenceId);
    if (!Files.isDirectory(home)) {
      return List.of();
    }
    try (var files = Files.list(home)) {
      return files
          .map(file -> parse(persistenceId, file.getFileName().toString()))
          .flatMap(Optional::stream)
          .sorted(
              Comparator.comparingLong(Name::sequenceNumber)
                  .thenComparingLong(Name::timestampMs)
                  .reversed())
          .toList();
    }
  }

  /** Durable on return. Replaces a snapshot of that name. */
  void save(Name name, byte[] data) throws IOException {
    Path home = home(name.persistenceId());
    if (!Files.isDirectory(home)) {
      Files.createDirectories(home);
      disk.forceDirectory(directory);
    }
    Path temporary = home.resolve(UUID.randomUUID() + ".tmp");
    try {
      try (FileChannel channel =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        var bytes =
            new ByteBuffer[] {ByteBuffer.allocate(4).putInt(0, crc(data)), ByteBuffer.wrap(data)};
        while (bytes[0].hasRemaining() || bytes[1].hasRemaining()) {
          channel.write(bytes);
        }
        disk.force(channel);
      }
      Files.move(temporary, home.resolve(name.fileName()), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
    disk.forceDirectory(home);
  }

  byte[] load(Name name) throws IOException {
    Path file = home(name.persistenceId()).resolve(name.fileName());
    var bytes = ByteBuffer.wrap(Files.readAllBytes(file));
    if (bytes.remaining() >= 4) {
      int expected = bytes.getInt();
      byte[] data = new byte[bytes.remaining()];
      bytes.get(data);
      if (expected == crc(data)) {
        return data;
      }
    }
    throw new JournalDamagedException("Snapshot " + file + " is damaged");
  }

  void delete(Name name) throws IOException {
    Files.deleteIfExists(home(name.persistenceId()).resolve(name.fileName()));
  }

  private Path home(String persistenceId) {
    // The prefix keeps "." and ".." from being what they are.
    String name = "p-" + URLEncoder.encode(persistenceId, StandardCharsets.UTF_8);
    if (name.length() > DIRECTORY_NAME_MAX) {
      throw new IllegalArgumentException(
          "Persistence id " + persistenceId + " is too long to name a directory");
    }
    return directory.resolve(name);
  }

  private static Optional<Name> parse(String persistenceId, String fileName) {
    int dash = fileName.indexOf('-', 1);
    if (!fileName.endsWith(SUFFIX) || dash < 0) {
      return Optional.empty();
    }
    return Optional.of(
        new Name(
            persistenceId,
            Long.parseLong(fileName.substring(0, dash)),
            Long.parseLong(fileName.substring(dash + 1, fileName.length() - SUFFIX.length()))));
  }

  private static int crc(byte[] data) {
    var crc = new CRC32C();
    crc.update(data);
    return (int) crc.getValue();
  }
}
