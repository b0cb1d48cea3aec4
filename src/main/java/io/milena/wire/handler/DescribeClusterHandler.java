package io.milena.wire.handler;

import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeClusterResponseData.DescribeClusterBroker;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/**
 * DescribeCluster: the nodes and the cluster id (KIP-700; endpoint types KIP-919, fenced KIP-1073).
 */
public final class DescribeClusterHandler implements ApiHandler {

  private static final byte ENDPOINTS_OF_BROKERS = 1;
  private static final byte ENDPOINTS_OF_CONTROLLERS = 2;

  private final MetadataService metadata;
  private final NodeIdentity node;

  public DescribeClusterHandler(MetadataService metadata, NodeIdentity node) {
    this.metadata = metadata;
    this.node = node;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.DESCRIBE_CLUSTER;
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
    DescribeClusterRequestData request = (DescribeClusterRequestData) message;
    return CompletableFuture.completedStage(
        switch (request.endpointType()) {
          case ENDPOINTS_OF_BROKERS -> describe(context.listenerName(), request);
          case ENDPOINTS_OF_CONTROLLERS ->
              refusal(
                  Errors.MISMATCHED_ENDPOINT_TYPE,
                  "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of"
                      + " type CONTROLLER");
          default ->
              refusal(
                  Errors.UNSUPPORTED_ENDPOINT_TYPE,
                  "Unsupported endpoint type " + request.endpointType());
        });
  }

  private static DescribeClusterResponseData refusal(Errors error, String message) {
    return new DescribeClusterResponseData().setErrorCode(error.code()).setErrorMessage(message);
  }

  private DescribeClusterResponseData describe(
      String listener, DescribeClusterRequestData request) {
    MetadataImage image = metadata.image();
    DescribeClusterResponseData response =
        new DescribeClusterResponseData()
            .setEndpointType(ENDPOINTS_OF_BROKERS)
            .setClusterId(image.clusterId().map(Uuid::toString).orElse(""))
            .setControllerId(MetadataHandler.controllerId(image, node.nodeId(), listener));
    if (request.includeClusterAuthorizedOperations()) {
      response.setClusterAuthorizedOperations(AuthorizedOperations.ON_CLUSTER);
    }
    for (NodeImage each : image.nodes().values()) {
      NodeImage.Endpoint endpoint = PartitionDescription.endpointEvenIfFenced(each, listener);
      if (endpoint != null && (!each.fenced() || request.includeFencedBrokers())) {
        response
            .brokers()
            .add(
                new DescribeClusterBroker()
                    .setBrokerId(each.id())
                    .setHost(endpoint.host())
                    .setPort(endpoint.port())
                    .setRack(each.rack().orElse(null))
                    .setIsFenced(each.fenced()));
      }
    }
    return response;
  }
}
