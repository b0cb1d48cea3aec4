package io.milena.wire.handler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData.Cursor;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData.TopicRequest;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Topics {@code auto} with one partition and {@code five} with five; answers as Kafka 4.4's. */
class DescribeTopicPartitionsHandlerTest {

  private final DirectMetadata metadata = DirectMetadata.withNodes(1);
  private final TestConnection connection = TestConnection.onInsideListener();
  private final DescribeTopicPartitionsHandler handler =
      new DescribeTopicPartitionsHandler(metadata, new NodeIdentity(1, Map.of("node.id", "1")));

  DescribeTopicPartitionsHandlerTest() {
    metadata.topic("auto", 1, 1);
    metadata.topic("five", 5, 1);
  }

  private static DescribeTopicPartitionsRequestData request(
      String topics, int limit, String cursor) {
    DescribeTopicPartitionsRequestData request =
        new DescribeTopicPartitionsRequestData().setResponsePartitionLimit(limit);
    if (!topics.equals("all")) {
      request.setTopics(
          Arrays.stream(topics.split(" ", -1))
              .map(topic -> new TopicRequest().setName(topic))
              .toList());
    }
    if (!cursor.equals("none")) {
      String[] parts = cursor.split("/", -1);
      request.setCursor(
          new Cursor().setTopicName(parts[0]).setPartitionIndex(Integer.parseInt(parts[1])));
    }
    return request;
  }

  /** Such as {@code auto:0 five:0,1 zz!3}, then the next cursor. */
  private static String text(DescribeTopicPartitionsResponseData response) {
    StringBuilder text = new StringBuilder();
    response
        .topics()
        .forEach(topic -> {
          text.append(topic.name());
          if (topic.errorCode() != 0) {
            text.append('!').append(topic.errorCode()).append(' ');
            return;
          }
          List<String> partitions =
              topic.partitions().stream()
                  .map(partition -> Integer.toString(partition.partitionIndex()))
                  .toList();
          text.append(':').append(String.join("+", partitions)).append(' ');
        });
    return text.append(
            response.nextCursor() == null
                ? "end"
                : "next "
                    + response.nextCursor().topicName()
                    + "/"
                    + response.nextCursor().partitionIndex())
        .toString();
  }

  @ParameterizedTest
  @CsvSource({
    "all, 2000, none, auto:0 five:0+1+2+3+4 end",
    "five auto, 2, none, auto:0 five:0 next five/1",
    "five auto, 2, five/1, five:1+2 next five/3",
    "five auto, 1, none, auto:0 next five/0",
    "five auto, 6, none, auto:0 five:0+1+2+3+4 end",
    "five zz, 5, none, five:0+1+2+3+4 next zz/0",
    "five auto, 0, none, auto:0 next five/0",
    "five auto, -1, none, auto:0 next five/0",
    "five auto, 6, five/9, five: end",
    "all, 3, b/1, five:0+1+2 next five/3",
    "all, 1, auto/1, auto: five:0 next five/1",
    "zz five, 7, zz/5, zz!3 end",
    "auto auto nix, 9, none, auto:0 nix!3 end",
    "bad/name, 9, none, bad/name!17 end",
  })
  void pagesGoOnWhereTheCursorPoints(String topics, int limit, String cursor, String expected) {
    DescribeTopicPartitionsResponseData response =
        connection.ask(handler, 0, request(topics, limit, cursor));

    assertThat(text(response)).isEqualTo(expected);
  }

  @Test
  void theNodesLimitBoundsAPage() {
    DescribeTopicPartitionsHandler limited =
        new DescribeTopicPartitionsHandler(
            metadata,
            new NodeIdentity(1, Map.of("node.id", "1", "max.request.partition.size.limit", "2")));
    DescribeTopicPartitionsResponseData response =
        connection.ask(limited, 0, request("five", 2000, "none"));

    assertThat(text(response)).isEqualTo("five:0+1 next five/2");
  }

  @Test
  void cursorsThatCannotBeAreRefused() {
    assertThatThrownBy(() -> connection.ask(handler, 0, request("five", 6, "five/-2")))
        .hasCauseInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("-2");
    assertThatThrownBy(() -> connection.ask(handler, 0, request("five", 6, "b/1")))
        .hasCauseInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("topic: b");
  }

  @Test
  void partitionsCarryLeadershipAndEligibleReplicas() {
    metadata.fenceNode(1);
    DescribeTopicPartitionsResponseData response =
        connection.ask(handler, 0, request("auto", 9, "none"));

    var partition = response.topics().find("auto").partitions().getFirst();
    assertThat(partition.errorCode()).isEqualTo(Errors.LEADER_NOT_AVAILABLE.code());
    assertThat(partition.leaderId()).isEqualTo(-1);
    assertThat(partition.replicaNodes()).containsExactly(1);
    assertThat(partition.offlineReplicas()).containsExactly(1);
    assertThat(response.topics().find("auto").topicAuthorizedOperations()).isEqualTo(3576);
  }
}
