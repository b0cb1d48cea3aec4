package io.milena.metadata.actor;

import io.milena.metadata.MetadataDelta;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataReplay;
import io.milena.metadata.MetadataService.MetadataListener;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The newest image of this node, and those who want to know when it changes. {@link MetadataGroup}
 * publishes; anyone may read and subscribe.
 *
 * <p>One lock orders publications and subscriptions, so that a listener misses no change and sees
 * none twice; it is held while listeners run, which therefore must not wait for the metadata group.
 */
public final class MetadataPublisher {

  private static final Logger LOG = LoggerFactory.getLogger(MetadataPublisher.class);

  private final List<MetadataListener> listeners = new ArrayList<>();
  private volatile MetadataImage image = MetadataImage.EMPTY;

  /** The newest image; never null. */
  public MetadataImage image() {
    return image;
  }

  /**
   * Calls the listener for every change from now on; and once before that, on this thread, with
   * everything there is, unless there is nothing yet.
   */
  public synchronized void subscribe(MetadataListener listener) {
    if (image.appliedIndex() > 0) {
      call(listener, MetadataReplay.everything(image), image);
    }
    listeners.add(listener);
  }

  /**
   * Makes an image visible, then tells the listeners. An image that is not newer is ignored: a
   * restarted group applies again what was published before.
   */
  synchronized void publish(MetadataDelta delta, MetadataImage next) {
    if (next.appliedIndex() <= image.appliedIndex()) {
      return;
    }
    image = next;
    for (MetadataListener listener : listeners) {
      call(listener, delta, next);
    }
  }

  /** One listener's failure must not keep the others, nor the group, from going on. */
  private static void call(MetadataListener listener, MetadataDelta delta, MetadataImage image) {
    try {
      listener.onImage(delta, image);
    } catch (RuntimeException e) {
      LOG.error(
          "Metadata listener {} failed at image {}: what it maintains may be out of date until the"
              + " node is restarted",
          listener,
          image.appliedIndex(),
          e);
    }
  }
}
