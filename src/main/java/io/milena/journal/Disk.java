package io.milena.journal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/** The durability of files: where tests count, delay and fail it. */
interface Disk {
  /** Returns once the file's bytes, and its length, will survive a loss of power. */
  void force(FileChannel channel) throws IOException;

  /** Returns once names created, moved or deleted in a directory will survive it. */
  void forceDirectory(Path directory) throws IOException;

  /** Whether a write failed because there is no space; Java has only the C library's message. */
  static boolean isFull(IOException failure) {
    String message = String.valueOf(failure.getMessage()).toLowerCase(Locale.ROOT);
    return message.contains("no space left") || message.contains("quota exceeded");
  }

  /** The machine's. */
  Disk REAL =
      new Disk() {
        @Override
        public void force(FileChannel channel) throws IOException {
          channel.force(false);
        }

        @Override
        public void forceDirectory(Path directory) throws IOException {
          try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
          }
        }
      };
}
