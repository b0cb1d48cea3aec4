package io.milena.wire;

import io.milena.wire.handler.ApiHandler;
import io.milena.wire.handler.RequestContext;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/** A handler whose behaviour a test gives. */
record ScriptedHandler(
    ApiKeys api,
    short minVersion,
    short maxVersion,
    BiFunction<RequestContext, ApiMessage, CompletionStage<? extends ApiMessage>> behaviour)
    implements ApiHandler {

  /** Serves all stable versions. */
  static ScriptedHandler of(
      ApiKeys api,
      BiFunction<RequestContext, ApiMessage, CompletionStage<? extends ApiMessage>> behaviour) {
    return new ScriptedHandler(api, api.oldestVersion(), api.latestVersion(false), behaviour);
  }

  /** Answers at once. */
  static ScriptedHandler answering(
      ApiKeys api, BiFunction<RequestContext, ApiMessage, ApiMessage> answer) {
    return of(
        api,
        (context, request) -> CompletableFuture.completedFuture(answer.apply(context, request)));
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage request) {
    return behaviour.apply(context, request);
  }
}
