package io.milena.wire.handler;

import io.milena.cluster.ClusterInfo;
import io.milena.metadata.MetadataService;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** CLUSTER_INFO: tells a node that wants to join which cluster this is and where its nodes are. */
public final class ClusterInfoApi implements PrivateApi {

  private final MetadataService metadata;

  public ClusterInfoApi(MetadataService metadata) {
    this.metadata = metadata;
  }

  @Override
  public short key() {
    return CLUSTER_INFO;
  }

  @Override
  public String name() {
    return "CLUSTER_INFO";
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 0;
  }

  @Override
  public CompletionStage<? extends PrivateAnswer> handle(
      ConnectionContext context, short version, ByteBuffer body) {
    return CompletableFuture.completedStage(
        PrivateAnswer.of(ClusterInfo.of(metadata.image()).encode()));
  }
}
