package io.milena.cluster;

import io.milena.metadata.MetadataDelta;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService.MetadataListener;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps the {@link KnownNodes} of a data directory up to date, once there are other nodes. */
public final class KnownNodesKeeper implements MetadataListener {

  private static final Logger LOG = LoggerFactory.getLogger(KnownNodesKeeper.class);

  private final int self;
  private final boolean founder;
  private final Path directory;
  private final Executor io;
  private volatile @Nullable MetadataImage newest;
  private @Nullable KnownNodes written;

  /**
   * @param founder what the file says of this node
   * @param io writes it
   */
  public KnownNodesKeeper(int self, boolean founder, Path directory, Executor io) {
    this.self = self;
    this.founder = founder;
    this.directory = directory;
    this.io = io;
  }

  @Override
  public void onImage(MetadataDelta delta, MetadataImage image) {
    boolean hasOthers = image.nodes().size() > 1 || !image.nodes().containsKey(self);
    if (delta.nodes().isEmpty() || image.nodes().isEmpty() || !hasOthers) {
      return;
    }
    newest = image;
    try {
      io.execute(this::write);
    } catch (RejectedExecutionException stopping) {
      LOG.debug("{} is not updated: the node stops", directory);
    }
  }

  private synchronized void write() {
    MetadataImage image = newest;
    if (image == null) {
      return;
    }
    KnownNodes known = KnownNodes.of(founder, ClusterInfo.of(image));
    if (known.equals(written)) {
      return;
    }
    try {
      known.write(directory);
      written = known;
    } catch (IOException failure) {
      LOG.warn(
          "cannot write down the addresses of the other nodes in {}: {}. Should they change, this"
              + " node may need --join to find them at its next start",
          directory,
          failure.getMessage());
    }
  }
}
