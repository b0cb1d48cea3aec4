package io.milena.http.stream;

import io.milena.metadata.MetadataDelta;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;

/** Tells streams that topics were created, deleted or extended. */
final class TopicWatch implements MetadataService.MetadataListener {

  private final Set<Runnable> wakers = ConcurrentHashMap.newKeySet();
  private final Executor executor;

  TopicWatch(MetadataService metadata, Executor executor) {
    this.executor = executor;
    metadata.subscribe(this);
  }

  void add(Runnable waker) {
    wakers.add(waker);
  }

  void remove(Runnable waker) {
    wakers.remove(waker);
  }

  @Override
  public void onImage(MetadataDelta delta, MetadataImage image) {
    if (!wakers.isEmpty() && !(delta.topics().isEmpty() && delta.replicaSets().isEmpty())) {
      executor.execute(() -> wakers.forEach(Runnable::run));
    }
  }
}
