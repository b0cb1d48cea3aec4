package io.milena.http.transport;

import akka.util.ByteString;
import io.milena.log.FileRegion;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The file regions that answers on one connection consist of. Akka HTTP knows bodies as byte
 * strings only; so a region stands in the body as a placeholder of the same length, which comes out
 * of Akka's layer as the same object, and is then sent from the page cache instead. A placeholder
 * shares one array of zeros and costs a few bytes a megabyte.
 *
 * <p>Answers leave a connection in order, so regions are claimed in the order they were promised;
 * one that was promised and never claimed (its answer was dropped) goes with the next claim. At
 * most {@value #PENDING_MAX} wait.
 */
public final class FileSends {

  private static final int BLOCK_BYTES = 1 << 20;
  private static final int PENDING_MAX = 64;
  private static final byte[] ZEROS = new byte[BLOCK_BYTES];

  private final ArrayDeque<Promised> promised = new ArrayDeque<>();

  private record Promised(ByteString placeholder, FileRegion region) {}

  /** The placeholder to put into the body of an answer on this connection, exactly once. */
  public ByteString promise(FileRegion region) {
    ByteString placeholder = placeholder(region.sizeInBytes());
    synchronized (promised) {
      if (promised.size() == PENDING_MAX) {
        throw new IllegalStateException(PENDING_MAX + " file regions wait to be sent already");
      }
      promised.add(new Promised(placeholder, region));
    }
    return placeholder;
  }

  /** The region that these bytes stand for, or null when they are what they are. */
  @SuppressWarnings("ReferenceEquality") // A placeholder is itself and no other zeros.
  @Nullable FileRegion claim(ByteString bytes) {
    synchronized (promised) {
      boolean known = promised.stream().anyMatch(each -> each.placeholder() == bytes);
      while (known) {
        Promised next = promised.remove();
        if (next.placeholder() == bytes) {
          return next.region();
        }
      }
      return null;
    }
  }

  private static ByteString placeholder(int sizeBytes) {
    ByteString bytes = ByteString.fromArrayUnsafe(ZEROS, 0, Math.min(sizeBytes, BLOCK_BYTES));
    for (int left = sizeBytes - BLOCK_BYTES; left > 0; left -= BLOCK_BYTES) {
      bytes = bytes.concat(ByteString.fromArrayUnsafe(ZEROS, 0, Math.min(left, BLOCK_BYTES)));
    }
    return bytes;
  }
}
