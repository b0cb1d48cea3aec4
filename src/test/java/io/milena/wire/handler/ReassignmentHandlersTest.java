package io.milena.wire.handler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignablePartition;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignableTopic;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.ElectLeadersRequestData.TopicPartitions;
import org.apache.kafka.common.message.ElectLeadersRequestData.TopicPartitionsCollection;
import org.apache.kafka.common.message.ElectLeadersResponseData;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData.ListPartitionReassignmentsTopics;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData.OngoingPartitionReassignment;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** Elections and reassignments, over topic {@code t} with one partition on node 2 of three. */
class ReassignmentHandlersTest {

  private final DirectMetadata metadata = DirectMetadata.withNodes(3);
  private final TestConnection connection = TestConnection.onInsideListener();
  private final AlterPartitionReassignmentsHandler alter =
      new AlterPartitionReassignmentsHandler(metadata);
  private final ListPartitionReassignmentsHandler list =
      new ListPartitionReassignmentsHandler(metadata);
  private final ElectLeadersHandler elect = new ElectLeadersHandler(metadata);

  ReassignmentHandlersTest() {
    metadata.topic("t", 1, 1);
  }

  private static AlterPartitionReassignmentsRequestData request(List<Integer> replicas) {
    return new AlterPartitionReassignmentsRequestData()
        .setTopics(
            List.of(
                new ReassignableTopic()
                    .setName("t")
                    .setPartitions(
                        List.of(
                            new ReassignablePartition()
                                .setPartitionIndex(0)
                                .setReplicas(replicas)))));
  }

  private static ElectLeadersRequestData election(int type, String topic) {
    TopicPartitionsCollection topics = new TopicPartitionsCollection();
    topics.add(new TopicPartitions().setTopic(topic).setPartitions(List.of(0)));
    return new ElectLeadersRequestData().setElectionType((byte) type).setTopicPartitions(topics);
  }

  private OngoingPartitionReassignment underWay(ListPartitionReassignmentsRequestData request) {
    ListPartitionReassignmentsResponseData response = connection.ask(list, 0, request);
    assertThat(response.topics()).hasSize(1);
    assertThat(response.topics().getFirst().name()).isEqualTo("t");
    return response.topics().getFirst().partitions().getFirst();
  }

  @Test
  void everyVersionStartsListsAndCancelsAReassignment() {
    for (int version = alter.minVersion(); version <= alter.maxVersion(); version++) {
      AlterPartitionReassignmentsResponseData started =
          connection.ask(alter, version, request(List.of(3, 1)));
      assertThat(started.errorCode()).isZero();
      assertThat(started.responses().getFirst().partitions().getFirst().errorCode()).isZero();

      for (List<ListPartitionReassignmentsTopics> topics :
          Arrays.asList(
              null,
              List.of(
                  new ListPartitionReassignmentsTopics()
                      .setName("t")
                      .setPartitionIndexes(List.of(0, 5)),
                  new ListPartitionReassignmentsTopics()
                      .setName("unknown")
                      .setPartitionIndexes(List.of(0))))) {
        OngoingPartitionReassignment underWay =
            underWay(new ListPartitionReassignmentsRequestData().setTopics(topics));
        assertThat(underWay.replicas()).containsExactly(3, 1, 2);
        assertThat(underWay.addingReplicas()).containsExactly(3, 1);
        assertThat(underWay.removingReplicas()).containsExactly(2);
      }

      connection.ask(alter, version, request(null));
      ListPartitionReassignmentsResponseData none =
          connection.ask(list, 0, new ListPartitionReassignmentsRequestData().setTopics(null));
      assertThat(none.topics()).isEmpty();
    }
  }

  @Test
  void refusalsNameThePartitionAndTheReason() {
    AlterPartitionReassignmentsResponseData none = connection.ask(alter, 1, request(null));
    var partition = none.responses().getFirst().partitions().getFirst();
    assertThat(partition.errorCode()).isEqualTo(Errors.NO_REASSIGNMENT_IN_PROGRESS.code());
    assertThat(partition.errorMessage()).isNotEmpty();

    AlterPartitionReassignmentsResponseData larger =
        connection.ask(alter, 1, request(List.of(1, 2)).setAllowReplicationFactorChange(false));
    assertThat(larger.allowReplicationFactorChange()).isFalse();
    assertThat(larger.responses().getFirst().partitions().getFirst().errorCode())
        .isEqualTo(Errors.INVALID_REPLICATION_FACTOR.code());
  }

  @Test
  void withoutAMetadataLeaderTheWholeRequestFails() {
    AlterPartitionReassignmentsResponseData response =
        connection.ask(
            new AlterPartitionReassignmentsHandler(metadata.withoutLeader()),
            1,
            request(List.of(2)));
    assertThat(response.errorCode()).isEqualTo(Errors.REQUEST_TIMED_OUT.code());
    assertThat(response.errorMessage()).isNotEmpty();
    ElectLeadersResponseData elected =
        connection.ask(new ElectLeadersHandler(metadata.withoutLeader()), 2, election(0, "t"));
    assertThat(elected.errorCode()).isEqualTo(Errors.REQUEST_TIMED_OUT.code());
  }

  @Test
  void changeThatIsNotDecidedInTimeIsAnsweredAfterTheTimeout() {
    metadata.hold();
    var answer =
        connection.<AlterPartitionReassignmentsResponseData>askLater(
            alter, 1, request(List.of(2)).setTimeoutMs(500));
    connection.advance(499);
    assertThat(answer.toCompletableFuture()).isNotDone();
    connection.advance(1);
    assertThat(answer.toCompletableFuture().join().errorCode())
        .isEqualTo(Errors.REQUEST_TIMED_OUT.code());
    metadata.release();
  }

  @Test
  void electionsAnswerForEachPartitionInEveryVersion() {
    for (int version = elect.minVersion(); version <= elect.maxVersion(); version++) {
      ElectLeadersResponseData notNeeded = connection.ask(elect, version, election(0, "t"));
      assertThat(notNeeded.errorCode()).isZero();
      var result = notNeeded.replicaElectionResults().getFirst();
      assertThat(result.topic()).isEqualTo("t");
      assertThat(result.partitionResult().getFirst().errorCode())
          .isEqualTo(Errors.ELECTION_NOT_NEEDED.code());
      ElectLeadersResponseData unknown = connection.ask(elect, version, election(0, "u"));
      assertThat(
              unknown.replicaElectionResults().getFirst().partitionResult().getFirst().errorCode())
          .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
      ElectLeadersResponseData all =
          connection.ask(elect, version, new ElectLeadersRequestData().setTopicPartitions(null));
      assertThat(all.replicaElectionResults()).isEmpty();
    }
  }

  @Test
  void uncleanElectionServesWhatHasNoLeader() {
    connection.ask(alter, 1, request(List.of(2, 1)));
    metadata.fenceNode(2);
    ElectLeadersResponseData elected = connection.ask(elect, 2, election(1, "t"));
    assertThat(elected.replicaElectionResults().getFirst().partitionResult().getFirst().errorCode())
        .isZero();
    ElectLeadersResponseData wrong = connection.ask(elect, 2, election(9, "t"));
    assertThat(wrong.errorCode()).isEqualTo(Errors.INVALID_REQUEST.code());
  }
}
