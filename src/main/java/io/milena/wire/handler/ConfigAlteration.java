package io.milena.wire.handler;

import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataCommand.ConfigChange;
import io.milena.metadata.MetadataCommand.ConfigChanges;
import io.milena.metadata.MetadataReply.ItemResult;
import io.milena.metadata.MetadataService;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * What AlterConfigs and IncrementalAlterConfigs share: from a translated request to its results.
 */
final class ConfigAlteration {

  private final MetadataService metadata;

  ConfigAlteration(MetadataService metadata) {
    this.metadata = metadata;
  }

  /**
   * @param type code of {@link ConfigResource.Type} as the client sent it
   * @param refusal why the metadata group cannot be asked for it, empty if it can
   */
  record Item(byte type, String name, List<ConfigChange> changes, String refusal) {}

  /** Result of an item, of the same type and name. */
  private record Result(byte type, String name, Errors error, String message) {}

  /**
   * Adds the result of an item to a response of either API.
   *
   * @param <R> the API's response
   */
  @FunctionalInterface
  interface Adder<R> {
    void add(R response, byte type, String name, short errorCode, @Nullable String message);
  }

  /** Alters the configurations and fills the response; never fails. */
  <R> CompletionStage<R> answer(
      R response, Adder<R> adder, List<Item> items, boolean replaceAll, boolean validateOnly) {
    return alter(items, replaceAll, validateOnly)
        .thenApply(results -> {
          for (Result result : results) {
            adder.add(
                response,
                result.type(),
                result.name(),
                result.error().code(),
                Stages.messageOf(result.error(), result.message()));
          }
          return response;
        });
  }

  private CompletionStage<List<Result>> alter(
      List<Item> items, boolean replaceAll, boolean validateOnly) {
    List<Result> refused = new ArrayList<>();
    List<Item> asked = new ArrayList<>();
    List<ConfigChanges> resources = new ArrayList<>();
    for (Item item : items) {
      String refusal = item.refusal().isEmpty() ? unsupported(item) : item.refusal();
      if (refusal.isEmpty()) {
        asked.add(item);
        ConfigResource.Type type = ConfigResource.Type.forId(item.type());
        resources.add(
            new ConfigChanges(new ConfigResource(type, item.name()), item.changes(), replaceAll));
      } else {
        refused.add(new Result(item.type(), item.name(), Errors.INVALID_REQUEST, refusal));
      }
    }
    if (asked.isEmpty()) {
      return CompletableFuture.completedStage(refused);
    }
    return metadata
        .submit(new MetadataCommand.AlterConfigs(resources, validateOnly))
        .handle((reply, failure) -> {
          List<Result> all = new ArrayList<>(refused);
          for (int i = 0; i < asked.size(); i++) {
            Item item = asked.get(i);
            if (failure == null) {
              ItemResult<ConfigResource> result = reply.results().get(i);
              all.add(new Result(item.type(), item.name(), result.error(), result.message()));
            } else {
              all.add(
                  new Result(
                      item.type(), item.name(), Stages.errorOf(failure), Stages.reasonOf(failure)));
            }
          }
          return all;
        });
  }

  private static String unsupported(Item item) {
    return switch (ConfigResource.Type.forId(item.type())) {
      case TOPIC, BROKER, GROUP -> "";
      case BROKER_LOGGER ->
          "Log levels of node "
              + item.name()
              + " cannot be changed over the Kafka protocol: change the node's logback"
              + " configuration.";
      case CLIENT_METRICS ->
          "Client metrics subscriptions are not supported: " + item.name() + " was not changed.";
      case UNKNOWN -> "Unknown resource type " + item.type();
    };
  }
}
