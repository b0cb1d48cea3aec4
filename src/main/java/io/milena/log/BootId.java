package io.milena.log;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Tells the lives of a machine apart. A process that is killed leaves what it wrote in the page
 * cache, from where it gets to the disk; a machine that stops does not.
 */
final class BootId {

  /** Random for each start of a Linux kernel; the same in all of its containers. */
  private static final Path LINUX = Path.of("/proc/sys/kernel/random/boot_id");

  private BootId() {}

  /** This life of the machine; empty where there is no way to know. */
  static Optional<String> current() {
    try {
      String id = Files.readString(LINUX).trim();
      return id.isEmpty() ? Optional.empty() : Optional.of(id);
    } catch (IOException unknown) {
      return Optional.empty();
    }
  }
}
