package io.milena.wire.handler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

class DescribeClusterHandlerTest {

  private final DirectMetadata metadata = DirectMetadata.withNodes(2);
  private final TestConnection connection = TestConnection.onInsideListener();
  private final DescribeClusterHandler handler =
      new DescribeClusterHandler(metadata, new NodeIdentity(1, Map.of("node.id", "1")));

  @Test
  void everyVersionNamesClusterControllerAndNodes() {
    for (int version = handler.minVersion(); version <= handler.maxVersion(); version++) {
      DescribeClusterResponseData response =
          connection.ask(
              handler,
              version,
              new DescribeClusterRequestData().setIncludeClusterAuthorizedOperations(true));

      assertThat(response.errorCode()).as("version %s", version).isZero();
      assertThat(response.clusterId()).isEqualTo(DirectMetadata.CLUSTER.toString());
      assertThat(response.controllerId()).isEqualTo(1);
      assertThat(response.clusterAuthorizedOperations()).isEqualTo(8096);
      assertThat(response.brokers()).hasSize(2);
      assertThat(response.brokers().find(1).host()).isEqualTo("inside1");
      assertThat(response.brokers().find(1).rack()).isEqualTo("r1");
    }
  }

  @Test
  void fencedNodesAreShownOnlyWhenAskedFor() {
    metadata.fenceNode(2);

    DescribeClusterResponseData without =
        connection.ask(handler, 2, new DescribeClusterRequestData());
    assertThat(without.brokers().find(2)).isNull();
    DescribeClusterResponseData with =
        connection.ask(handler, 2, new DescribeClusterRequestData().setIncludeFencedBrokers(true));
    assertThat(with.brokers().find(2).isFenced()).isTrue();
    assertThat(with.brokers().find(1).isFenced()).isFalse();
  }

  @Test
  void endpointTypesOtherThanBrokersAreRefused() {
    DescribeClusterResponseData controllers =
        connection.ask(handler, 1, new DescribeClusterRequestData().setEndpointType((byte) 2));
    assertThat(controllers.errorCode()).isEqualTo(Errors.MISMATCHED_ENDPOINT_TYPE.code());
    assertThat(controllers.errorMessage()).contains("CONTROLLER");

    DescribeClusterResponseData unknown =
        connection.ask(handler, 1, new DescribeClusterRequestData().setEndpointType((byte) 3));
    assertThat(unknown.errorCode()).isEqualTo(Errors.UNSUPPORTED_ENDPOINT_TYPE.code());
    assertThat(unknown.errorMessage()).isEqualTo("Unsupported endpoint type 3");
  }
}
