package io.milena.cluster;

import static io.milena.cluster.ReplicaSetLeader.Phase.LEADING;
import static org.assertj.core.api.Assertions.assertThat;

import akka.cluster.Member;
import akka.cluster.typed.Cluster;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two members of one cluster in this JVM, or three: what a cluster of one cannot show. */
class TwoMembersTest {

  @TempDir Path directory;

  private final SharedMetadata metadata = new SharedMetadata();
  private final List<TestMember> members = new ArrayList<>();

  @AfterEach
  void stopMembers() {
    members.reversed().forEach(TestMember::close);
  }

  private TestMember start(int nodeId) {
    TestMember member = new TestMember(nodeId, directory.resolve("node-" + nodeId));
    members.add(member);
    member.join(members.getFirst());
    metadata.start(member.identity);
    return member.lead(metadata, () -> metadata.nodeEpoch(nodeId));
  }

  @Test
  void aPlannedHandOverMovesLeaderAndEntityAndTheyComeBackToThePreferredNode() {
    TestMember first = start(1);
    TestMember second = start(2);
    int set = metadata.createTopic("t", 2, 1);
    first.eventually(() -> assertThat(first.status(set)).isEqualTo(status(set, 2, 0)));
    second.handOver();
    assertThat(metadata.set(set).leader()).isEqualTo(1);
    assertThat(metadata.set(set).leaderEpoch()).isEqualTo(1);
    first.eventually(() -> assertThat(first.status(set)).isEqualTo(status(set, 1, 1)));
  }

  @Test
  void entityMovesToThePreferredNodeOnceItsShardingRunsAndClaimsTheSet() {
    TestMember first = start(1);
    TestMember second = new TestMember(2, directory.resolve("node-2"));
    members.add(second);
    second.join(first);
    metadata.start(second.identity);
    int set = metadata.createTopic("t", 2, 1);
    resign(set);
    second.lead(metadata, () -> metadata.nodeEpoch(2));
    first.eventually(() -> assertThat(first.status(set)).isEqualTo(status(set, 2, 2)));
    assertThat(metadata.set(set).leader()).isEqualTo(2);
  }

  /** Such as one whose process was killed, as long as it is not removed. */
  @Test
  void entitiesStartWhileAThirdMemberDoesNotTakeWhatShardingWrites() {
    TestMember first = start(1);
    start(2);
    TestMember third = new TestMember(3, directory.resolve("node-3"));
    members.add(third);
    third.join(first);
    int set = metadata.createTopic("t", 2, 1);
    first.eventually(() -> assertThat(first.status(set)).isEqualTo(status(set, 2, 0)));
  }

  @Test
  void fencedMemberIsDownedAndRemovedByTheOthers() {
    TestMember first = start(1);
    TestMember second = start(2);
    first.eventually(() -> assertThat(memberNodes(first)).containsExactlyInAnyOrder(1, 2));
    metadata.fence(2);
    first.eventually(() -> assertThat(memberNodes(first)).containsExactly(1));
    assertThat(second.identity.nodeId()).isEqualTo(2);
  }

  private void resign(int set) {
    var reply =
        metadata
            .submit(
                new io.milena.metadata.MetadataCommand.ResignLeadership(
                    set, 2, metadata.nodeEpoch(2), 0))
            .toCompletableFuture()
            .join();
    assertThat(reply.leader()).isEqualTo(1);
  }

  private static ReplicaSetLeader.Status status(int set, int node, int leaderEpoch) {
    return new ReplicaSetLeader.Status(set, node, LEADING, leaderEpoch);
  }

  private static List<Integer> memberNodes(TestMember member) {
    List<Integer> nodes = new ArrayList<>();
    for (Member each : Cluster.get(member.system).state().getMembers()) {
      MemberIdentity.of(each.getRoles()).ifPresent(identity -> nodes.add(identity.nodeId()));
    }
    return nodes;
  }
}
