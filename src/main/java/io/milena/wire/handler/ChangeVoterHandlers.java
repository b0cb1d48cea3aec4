package io.milena.wire.handler;

import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.MetadataService;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AddRaftVoterRequestData;
import org.apache.kafka.common.message.AddRaftVoterResponseData;
import org.apache.kafka.common.message.RemoveRaftVoterRequestData;
import org.apache.kafka.common.message.RemoveRaftVoterResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * AddRaftVoter and RemoveRaftVoter: which nodes vote in the metadata group (KIP-853). A node that
 * does not vote follows the group's log all the same. The endpoints that AddRaftVoter names are not
 * needed: a node is registered with its own.
 */
public final class ChangeVoterHandlers {

  private final MetadataService metadata;

  private ChangeVoterHandlers(MetadataService metadata) {
    this.metadata = metadata;
  }

  /** Both of them. */
  public static List<ApiHandler> all(MetadataService metadata) {
    ChangeVoterHandlers shared = new ChangeVoterHandlers(metadata);
    return List.of(new Add(shared), new Remove(shared));
  }

  private CompletionStage<MetadataReply.Done> change(
      @Nullable String clusterId, MetadataCommand.ChangeVoter command) {
    MetadataImage image = metadata.image();
    String own = image.clusterId().map(Uuid::toString).orElse("");
    if (clusterId != null && !clusterId.equals(own)) {
      return CompletableFuture.completedStage(
          new MetadataReply.Done(
              Errors.INCONSISTENT_CLUSTER_ID,
              "This is cluster " + own + ", the request is for " + clusterId));
    }
    return metadata
        .submit(command)
        .exceptionally(
            failure -> new MetadataReply.Done(Stages.errorOf(failure), Stages.reasonOf(failure)));
  }

  private static final class Add implements ApiHandler {
    private final ChangeVoterHandlers shared;

    Add(ChangeVoterHandlers shared) {
      this.shared = shared;
    }

    @Override
    public ApiKeys api() {
      return ApiKeys.ADD_RAFT_VOTER;
    }

    @Override
    public short minVersion() {
      return 0;
    }

    @Override
    public short maxVersion() {
      return 1;
    }

    @Override
    public CompletionStage<? extends ApiMessage> handle(
        RequestContext context, ApiMessage message) {
      AddRaftVoterRequestData request = (AddRaftVoterRequestData) message;
      CompletionStage<MetadataReply.Done> decided =
          shared.change(
              request.clusterId(),
              new MetadataCommand.ChangeVoter(request.voterId(), request.voterDirectoryId(), true));
      return Stages.within(
              context,
              Math.max(0, request.timeoutMs()),
              decided,
              () -> new MetadataReply.Done(Errors.REQUEST_TIMED_OUT, Stages.TIMED_OUT))
          .thenApply(reply ->
              new AddRaftVoterResponseData()
                  .setErrorCode(reply.error().code())
                  .setErrorMessage(Stages.messageOf(reply.error(), reply.message())));
    }
  }

  private static final class Remove implements ApiHandler {
    private final ChangeVoterHandlers shared;

    Remove(ChangeVoterHandlers shared) {
      this.shared = shared;
    }

    @Override
    public ApiKeys api() {
      return ApiKeys.REMOVE_RAFT_VOTER;
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
    public CompletionStage<? extends ApiMessage> handle(
        RequestContext context, ApiMessage message) {
      RemoveRaftVoterRequestData request = (RemoveRaftVoterRequestData) message;
      return shared
          .change(
              request.clusterId(),
              new MetadataCommand.ChangeVoter(request.voterId(), request.voterDirectoryId(), false))
          .thenApply(reply ->
              new RemoveRaftVoterResponseData()
                  .setErrorCode(reply.error().code())
                  .setErrorMessage(Stages.messageOf(reply.error(), reply.message())));
    }
  }
}
