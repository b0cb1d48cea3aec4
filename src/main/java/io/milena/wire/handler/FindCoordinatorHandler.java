package io.milena.wire.handler;

import io.milena.group.actor.GroupCoordinator;
import io.milena.metadata.NodeImage;
import io.milena.metadata.NodeImage.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.FindCoordinatorResponseData.Coordinator;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/**
 * FindCoordinator: which node coordinates a group, from version 4 several (KIP-699). The first one
 * to ask causes {@code __consumer_offsets} to be created, and is answered once it is.
 *
 * <p>There is no transaction coordinator yet: asking for one is answered INVALID_REQUEST, which
 * clients do not retry, so that a user sees at once why. Share groups are not supported: the same,
 * as Kafka says without a share coordinator.
 */
public final class FindCoordinatorHandler implements ApiHandler {

  private static final short FIRST_VERSION_WITH_KEYS = 4;
  private static final byte GROUP = 0;
  private static final byte TRANSACTION = 1;
  private static final int NO_NODE = -1;

  private final GroupCoordinator coordinator;

  public FindCoordinatorHandler(GroupCoordinator coordinator) {
    this.coordinator = coordinator;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.FIND_COORDINATOR;
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 6;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    FindCoordinatorRequestData data = (FindCoordinatorRequestData) message;
    CompletionStage<Boolean> ready =
        data.keyType() == GROUP
            ? coordinator.offsetsTopic().create()
            : CompletableFuture.completedFuture(true);
    return ready.thenApply(_ -> answer(context, data));
  }

  private FindCoordinatorResponseData answer(
      RequestContext context, FindCoordinatorRequestData data) {
    if (context.apiVersion() < FIRST_VERSION_WITH_KEYS) {
      Coordinator found = find(context, data.keyType(), data.key());
      return new FindCoordinatorResponseData()
          .setErrorCode(found.errorCode())
          .setErrorMessage(found.errorMessage())
          .setNodeId(found.nodeId())
          .setHost(found.host())
          .setPort(found.port());
    }
    List<Coordinator> coordinators = new ArrayList<>(data.coordinatorKeys().size());
    for (String key : data.coordinatorKeys()) {
      coordinators.add(find(context, data.keyType(), key));
    }
    return new FindCoordinatorResponseData().setCoordinators(coordinators);
  }

  private Coordinator find(RequestContext context, byte keyType, String key) {
    if (keyType != GROUP) {
      return refuse(key, Errors.INVALID_REQUEST)
          .setErrorMessage(
              keyType == TRANSACTION
                  ? "Transactions are not served yet: produce without transactional.id."
                  : "Only consumer groups have a coordinator here: key type "
                      + keyType
                      + " is not known.");
    }
    Optional<NodeImage> node = coordinator.offsetsTopic().coordinatorOf(key);
    Optional<Endpoint> endpoint =
        node.flatMap(it ->
            it.endpoints().stream()
                .filter(candidate -> candidate.listener().equals(context.listenerName()))
                .findFirst());
    if (node.isEmpty() || endpoint.isEmpty()) {
      return refuse(key, Errors.COORDINATOR_NOT_AVAILABLE);
    }
    return new Coordinator()
        .setKey(key)
        .setNodeId(node.get().id())
        .setHost(endpoint.get().host())
        .setPort(endpoint.get().port())
        .setErrorCode(Errors.NONE.code());
  }

  private static Coordinator refuse(String key, Errors error) {
    return new Coordinator()
        .setKey(key)
        .setNodeId(NO_NODE)
        .setHost("")
        .setPort(NO_NODE)
        .setErrorCode(error.code())
        .setErrorMessage(error.message());
  }
}
