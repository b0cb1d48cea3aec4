package io.milena.wire.handler;

import io.milena.metadata.MetadataCommand.ConfigChange;
import io.milena.metadata.MetadataService;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.AlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.AlterConfigsResponseData;
import org.apache.kafka.common.message.AlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/** AlterConfigs: replaces every override of a resource by the ones given (KIP-133). */
public final class AlterConfigsHandler implements ApiHandler {

  private final ConfigAlteration alteration;

  public AlterConfigsHandler(MetadataService metadata) {
    this.alteration = new ConfigAlteration(metadata);
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.ALTER_CONFIGS;
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 2;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    AlterConfigsRequestData request = (AlterConfigsRequestData) message;
    List<ConfigAlteration.Item> items = new ArrayList<>();
    for (AlterConfigsResource resource : request.resources()) {
      List<ConfigChange> changes = new ArrayList<>();
      for (AlterableConfig config : resource.configs()) {
        changes.add(
            new ConfigChange(
                config.name(), ConfigChange.Operation.SET, Optional.ofNullable(config.value())));
      }
      items.add(
          new ConfigAlteration.Item(resource.resourceType(), resource.resourceName(), changes, ""));
    }
    return alteration.answer(
        new AlterConfigsResponseData(),
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
        true,
        request.validateOnly());
  }
}
