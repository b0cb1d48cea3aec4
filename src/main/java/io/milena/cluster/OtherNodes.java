package io.milena.cluster;

import io.milena.metadata.MetadataDelta;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.MetadataService.MetadataListener;
import io.milena.metadata.NodeImage;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Whether other nodes stay when this one stops. Neither those that are fenced do, nor those that
 * are stopping themselves, nor those whose process is gone, though the metadata group may not have
 * taken note: perhaps it cannot, as its majority went with them. One that this node only does not
 * hear of may well be there.
 */
public final class OtherNodes implements MetadataListener {

  private final int self;
  private final MetadataService metadata;

  /** Node epochs of processes that have ended, by node. */
  private final Map<Integer, Long> gone = new ConcurrentHashMap<>();

  private final CompletableFuture<Void> noneStays = new CompletableFuture<>();
  private volatile boolean asked;

  /**
   * @param metadata which this is to be subscribed to
   */
  public OtherNodes(int self, MetadataService metadata) {
    this.self = self;
    this.metadata = metadata;
  }

  /** The process of a node has ended; a later registration of that node is another's. */
  public void gone(int nodeId) {
    NodeImage node = metadata.image().nodes().get(nodeId);
    if (node != null) {
      gone.put(nodeId, node.nodeEpoch());
      look(metadata.image());
    }
  }

  @Override
  public void onImage(MetadataDelta delta, MetadataImage image) {
    if (!delta.nodes().isEmpty()) {
      look(image);
    }
  }

  /**
   * For a node that is about to stop.
   *
   * @return completes as soon as no other node stays; the first time that it is so counts, as who
   *     comes back later cannot take over either
   */
  public CompletionStage<Void> whenNoneStays() {
    asked = true;
    look(metadata.image());
    return noneStays.minimalCompletionStage();
  }

  private void look(MetadataImage image) {
    if (asked && image.nodes().values().stream().noneMatch(this::stays)) {
      noneStays.complete(null);
    }
  }

  private boolean stays(NodeImage node) {
    Long goneEpoch = gone.get(node.id());
    return node.id() != self
        && !node.fenced()
        && !node.controlledShutdown()
        && (goneEpoch == null || goneEpoch != node.nodeEpoch());
  }
}
