package io.milena.wire.handler;

import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataService;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.UnregisterBrokerRequestData;
import org.apache.kafka.common.message.UnregisterBrokerResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** UnregisterBroker: forgets a node that will not come back (KIP-500). */
public final class UnregisterBrokerHandler implements ApiHandler {

  private final MetadataService metadata;

  public UnregisterBrokerHandler(MetadataService metadata) {
    this.metadata = metadata;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.UNREGISTER_BROKER;
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
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    int nodeId = ((UnregisterBrokerRequestData) message).brokerId();
    return metadata
        .submit(new MetadataCommand.UnregisterNode(nodeId))
        .handle((reply, failure) ->
            failure == null
                ? response(reply.error(), reply.message())
                : response(Stages.errorOf(failure), Stages.reasonOf(failure)));
  }

  private static UnregisterBrokerResponseData response(Errors error, String message) {
    return new UnregisterBrokerResponseData()
        .setErrorCode(error.code())
        .setErrorMessage(Stages.messageOf(error, message));
  }
}
