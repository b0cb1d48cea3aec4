package io.milena;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/** A small file system of its own, which can be filled to the last block and freed again. */
public final class SmallDisk implements AutoCloseable {

  private final Path root;

  private SmallDisk(Path root) {
    this.root = root;
  }

  /**
   * Mounts one on a directory, which is created.
   *
   * @param size such as 16m
   * @return empty where mounting is not allowed
   */
  public static Optional<SmallDisk> mount(Path root, String size) throws Exception {
    Files.createDirectories(root);
    return run("mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", root.toString()) == 0
        ? Optional.of(new SmallDisk(root))
        : Optional.empty();
  }

  private static int run(String... command) throws Exception {
    try {
      return new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .start()
          .waitFor();
    } catch (IOException noSuchCommand) {
      return -1;
    }
  }

  public Path root() {
    return root;
  }

  /** Takes all the space there is. */
  public void fill() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(4096);
    try (FileChannel channel =
        FileChannel.open(ballast(), StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      while (true) {
        bytes.clear();
        channel.write(bytes);
      }
    } catch (IOException full) {
      if (!String.valueOf(full.getMessage()).contains("No space")) {
        throw full;
      }
    }
  }

  /** Gives the space back. */
  public void free() throws IOException {
    Files.deleteIfExists(ballast());
  }

  private Path ballast() {
    return root.resolve("ballast");
  }

  @Override
  public void close() throws Exception {
    run("umount", "-l", root.toString());
  }
}
