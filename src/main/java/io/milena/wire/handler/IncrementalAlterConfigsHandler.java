package io.milena.wire.handler;

import io.milena.metadata.MetadataCommand.ConfigChange;
import io.milena.metadata.MetadataService;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/** IncrementalAlterConfigs: sets, deletes, appends to and subtracts from overrides (KIP-339). */
public final class IncrementalAlterConfigsHandler implements ApiHandler {

  private final ConfigAlteration alteration;

  public IncrementalAlterConfigsHandler(MetadataService metadata) {
    this.alteration = new ConfigAlteration(metadata);
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.INCREMENTAL_ALTER_CONFIGS;
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
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    IncrementalAlterConfigsRequestData request = (IncrementalAlterConfigsRequestData) message;
    List<ConfigAlteration.Item> items = new ArrayList<>();
    for (AlterConfigsResource resource : request.resources()) {
      items.add(translate(resource));
    }
    return alteration.answer(
        new IncrementalAlterConfigsResponseData(),
        (response, type, name, errorCode, errorMessage) ->
            response
                .responses()
                .add(
                    new AlterConfigsResourceResponse()
                        .setResourceType(type)
                        .setResourceName(name)
                        .setErrorCode(errorCode)
                        .setErrorMessage(errorMessage)),
        items,
        false,
        request.validateOnly());
  }

  private static ConfigAlteration.Item translate(AlterConfigsResource resource) {
    String refusal = "";
    List<ConfigChange> changes = new ArrayList<>();
    for (AlterableConfig config : resource.configs()) {
      ConfigChange.Operation operation = operation(config.configOperation());
      if (operation == null) {
        refusal =
            "Unknown operation "
                + config.configOperation()
                + " on config "
                + config.name()
                + ": 0 sets, 1 deletes, 2 appends, 3 subtracts.";
      } else {
        changes.add(
            new ConfigChange(config.name(), operation, Optional.ofNullable(config.value())));
      }
    }
    return new ConfigAlteration.Item(
        resource.resourceType(), resource.resourceName(), changes, refusal);
  }

  private static ConfigChange.@Nullable Operation operation(byte code) {
    return switch (code) {
      case 0 -> ConfigChange.Operation.SET;
      case 1 -> ConfigChange.Operation.DELETE;
      case 2 -> ConfigChange.Operation.APPEND;
      case 3 -> ConfigChange.Operation.SUBTRACT;
      default -> null;
    };
  }
}
