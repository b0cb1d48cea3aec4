package io.milena.cluster;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.Extension;
import akka.actor.typed.ExtensionId;
import io.milena.metadata.MetadataService;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Hands the node's {@link MetadataService} to what Akka creates by itself, before there is one: the
 * downing provider.
 */
public final class ClusterMetadata implements Extension {

  private final CompletableFuture<MetadataService> service = new CompletableFuture<>();

  private ClusterMetadata() {}

  /** The one of an actor system. */
  public static ClusterMetadata get(ActorSystem<?> system) {
    return Id.INSTANCE.apply(system);
  }

  /** The node has its metadata service. Only the first call counts. */
  public void provide(MetadataService metadata) {
    service.complete(metadata);
  }

  /** Completes once the node has its metadata service. */
  CompletionStage<MetadataService> whenProvided() {
    return service.minimalCompletionStage();
  }

  private static final class Id extends ExtensionId<ClusterMetadata> {
    private static final Id INSTANCE = new Id();

    @Override
    public ClusterMetadata createExtension(ActorSystem<?> system) {
      return new ClusterMetadata();
    }
  }
}
