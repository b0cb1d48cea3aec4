package io.milena.metadata;

import java.util.concurrent.CompletionStage;

/**
 * What a node offers its other parts of the metadata group: the image as this node has applied it,
 * and a way to ask for a change. May be called from any thread.
 */
public interface MetadataService {

  /**
   * The newest image this node has applied: one volatile read. Never null; empty before the first
   * record.
   */
  MetadataImage image();

  /**
   * Asks the metadata leader, on whichever node it runs, to decide a command.
   *
   * @return the leader's decision, once the records it led to are committed <em>and applied on this
   *     node</em>, so that whoever waits for it then sees them in {@link #image()}; fails with a
   *     {@link org.apache.kafka.common.errors.TimeoutException} when no leader decides in time (the
   *     outcome is then unknown)
   */
  <R extends MetadataReply> CompletionStage<R> submit(MetadataCommand<R> command);

  /**
   * Calls the listener for every change from now on, in order, on one thread at a time, after the
   * image is visible.
   */
  void subscribe(MetadataListener listener);

  /** Told of each newly applied image. */
  @FunctionalInterface
  interface MetadataListener {
    /**
     * @param delta what changed from the image before; for the first call everything
     * @param image the image with the change in it
     */
    void onImage(MetadataDelta delta, MetadataImage image);
  }
}
