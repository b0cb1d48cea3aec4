package io.milena.wire.handler;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * InitProducerId for idempotent producers (KIP-98). A producer that lost its sequence and gives its
 * id and epoch to have the epoch raised (KIP-360) gets a new id instead, as from Kafka: only a
 * transactional id has state to raise an epoch in.
 */
public final class InitProducerIdHandler implements ApiHandler {

  private static final Logger LOG = LoggerFactory.getLogger(InitProducerIdHandler.class);

  private static final long NO_PRODUCER_ID = -1;
  private static final short NO_PRODUCER_EPOCH = -1;

  private final ProducerIds producerIds;

  public InitProducerIdHandler(ProducerIds producerIds) {
    this.producerIds = producerIds;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.INIT_PRODUCER_ID;
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 5;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    InitProducerIdRequestData request = (InitProducerIdRequestData) message;
    boolean hasId = request.producerId() != NO_PRODUCER_ID;
    boolean hasEpoch = request.producerEpoch() != NO_PRODUCER_EPOCH;
    String transactionalId = request.transactionalId();
    if (hasId != hasEpoch || (transactionalId != null && transactionalId.isEmpty())) {
      return CompletableFuture.completedStage(refusal(Errors.INVALID_REQUEST));
    }
    if (transactionalId != null) {
      // The response has no room for words, so they go to the log; UNSUPPORTED_VERSION is what no
      // client retries.
      LOG.warn(
          "Refused transactional id {} of client {} at {}: transactions are not served yet; use an"
              + " idempotent producer without transactional.id",
          transactionalId,
          context.clientId(),
          context.clientAddress());
      return CompletableFuture.completedStage(refusal(Errors.UNSUPPORTED_VERSION));
    }
    return producerIds
        .next()
        .handle((producerId, failure) ->
            failure == null
                ? new InitProducerIdResponseData()
                    .setProducerId(producerId)
                    .setProducerEpoch((short) 0)
                : refusal(Stages.errorOf(failure)));
  }

  private static InitProducerIdResponseData refusal(Errors error) {
    return new InitProducerIdResponseData()
        .setErrorCode(error.code())
        .setProducerId(NO_PRODUCER_ID)
        .setProducerEpoch(NO_PRODUCER_EPOCH);
  }
}
