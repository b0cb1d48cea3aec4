package io.milena.wire.handler;

import io.milena.metadata.EffectiveConfig;
import io.milena.metadata.EffectiveConfigs;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResourceResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsSynonym;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigType;

/**
 * DescribeConfigs: what holds for topics, this node, the default of all nodes, and consumer groups,
 * and where it comes from (KIP-133, KIP-226, KIP-569).
 */
public final class DescribeConfigsHandler implements ApiHandler {

  private final MetadataService metadata;
  private final NodeIdentity node;

  public DescribeConfigsHandler(MetadataService metadata, NodeIdentity node) {
    this.metadata = metadata;
    this.node = node;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.DESCRIBE_CONFIGS;
  }

  @Override
  public short minVersion() {
    return 1;
  }

  @Override
  public short maxVersion() {
    return 4;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    DescribeConfigsRequestData request = (DescribeConfigsRequestData) message;
    MetadataImage image = metadata.image();
    DescribeConfigsResponseData response = new DescribeConfigsResponseData();
    for (DescribeConfigsResource resource : request.resources()) {
      DescribeConfigsResult result =
          new DescribeConfigsResult()
              .setResourceType(resource.resourceType())
              .setResourceName(resource.resourceName())
              .setErrorMessage("");
      response.results().add(result);
      try {
        for (EffectiveConfig config : describe(image, resource)) {
          if (isAskedFor(resource, config.name())) {
            result.configs().add(translate(request, config));
          }
        }
      } catch (ApiException e) {
        result.setErrorCode(Errors.forException(e).code()).setErrorMessage(e.getMessage());
      }
    }
    return CompletableFuture.completedStage(response);
  }

  private static boolean isAskedFor(DescribeConfigsResource resource, String name) {
    List<String> keys = resource.configurationKeys();
    return keys == null || keys.isEmpty() || keys.contains(name);
  }

  /**
   * @throws ApiException for a resource that is not there or has no configuration here
   */
  private List<EffectiveConfig> describe(MetadataImage image, DescribeConfigsResource resource) {
    String name = resource.resourceName();
    return switch (ConfigResource.Type.forId(resource.resourceType())) {
      case TOPIC -> {
        Topic.validate(name);
        if (image.topic(name) == null) {
          throw new UnknownTopicOrPartitionException("The topic '" + name + "' does not exist.");
        }
        yield EffectiveConfigs.describeTopic(image, node.staticConfig(), name);
      }
      case BROKER -> {
        if (name.isEmpty()) {
          yield EffectiveConfigs.describeNodeDefault(image);
        }
        checkThisNode(name);
        yield EffectiveConfigs.describeNode(image, node.staticConfig());
      }
      case GROUP -> {
        if (name.isEmpty()) {
          throw new InvalidRequestException("Group name must not be empty");
        }
        yield EffectiveConfigs.describeGroup(image, node.staticConfig(), name);
      }
      case BROKER_LOGGER ->
          throw new InvalidRequestException(
              "Log levels of node "
                  + name
                  + " cannot be read over the Kafka protocol: see the node's logback"
                  + " configuration.");
      case CLIENT_METRICS ->
          throw new InvalidRequestException(
              "Client metrics subscriptions are not supported: there is none named " + name + ".");
      case UNKNOWN ->
          throw new InvalidRequestException("Unknown resource type " + resource.resourceType());
    };
  }

  private void checkThisNode(String name) {
    int nodeId;
    try {
      nodeId = Integer.parseInt(name);
    } catch (NumberFormatException e) {
      throw new InvalidRequestException("Broker id must be an integer, but it is: " + name, e);
    }
    if (nodeId != node.nodeId()) {
      throw new InvalidRequestException(
          "Unexpected broker id, expected "
              + node.nodeId()
              + " or empty string, but received "
              + name);
    }
  }

  private static DescribeConfigsResourceResult translate(
      DescribeConfigsRequestData request, EffectiveConfig config) {
    List<DescribeConfigsSynonym> synonyms = new ArrayList<>();
    if (request.includeSynonyms()) {
      for (EffectiveConfig.Synonym synonym : config.synonyms()) {
        synonyms.add(
            new DescribeConfigsSynonym()
                .setName(synonym.name())
                .setValue(synonym.value())
                .setSource(synonym.source().id()));
      }
    }
    return new DescribeConfigsResourceResult()
        .setName(config.name())
        .setValue(config.value())
        .setReadOnly(config.readOnly())
        .setConfigSource(config.source().id())
        .setIsSensitive(config.sensitive())
        .setSynonyms(synonyms)
        .setConfigType(type(config.type()).id())
        .setDocumentation(request.includeDocumentation() ? config.documentation() : null);
  }

  private static ConfigType type(ConfigDef.Type type) {
    return switch (type) {
      case BOOLEAN -> ConfigType.BOOLEAN;
      case STRING -> ConfigType.STRING;
      case INT -> ConfigType.INT;
      case SHORT -> ConfigType.SHORT;
      case LONG -> ConfigType.LONG;
      case DOUBLE -> ConfigType.DOUBLE;
      case LIST -> ConfigType.LIST;
      case CLASS -> ConfigType.CLASS;
      case PASSWORD -> ConfigType.PASSWORD;
    };
  }
}
