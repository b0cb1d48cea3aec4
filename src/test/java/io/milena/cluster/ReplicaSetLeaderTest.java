package io.milena.cluster;

import static io.milena.cluster.ReplicaSetLeader.Phase.LEADING;
import static io.milena.cluster.ReplicaSetLeader.Phase.STANDING_BY;
import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.SerializationTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.serialization.SerializationExtension;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataRecord;
import io.milena.metadata.ReplicaSetImage;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The entities in a real cluster of one, whose metadata group knows a second node. */
class ReplicaSetLeaderTest {

  private static final MemberIdentity ELSEWHERE = new MemberIdentity(2, new Uuid(2, 1));

  @TempDir Path directory;

  private final SharedMetadata metadata = new SharedMetadata();
  private TestMember member;

  @BeforeEach
  void startMember() {
    member = new TestMember(1, directory);
    metadata.start(member.identity);
    metadata.start(ELSEWHERE);
    member.join(member).lead(metadata, () -> metadata.nodeEpoch(1));
  }

  @AfterEach
  void stopMember() {
    member.close();
  }

  private void assertStatus(int set, ReplicaSetLeader.Phase phase, int leaderEpoch) {
    assertThat(member.status(set))
        .isEqualTo(new ReplicaSetLeader.Status(set, 1, phase, leaderEpoch));
  }

  @Test
  void everySetOfThisNodeGetsAnEntityThatFindsItsClaimGranted() {
    int mine = metadata.createTopic("mine", 1, 2);
    int alone = metadata.createTopic("alone", 1);
    int theirs = metadata.createTopic("theirs", 2, 1);
    member.eventually(() -> assertThat(member.entities()).containsExactly(mine, alone));
    member.eventually(() -> assertStatus(mine, LEADING, 0));
    assertThat(metadata.set(mine).leaderEpoch()).isZero();

    metadata.fence(2);
    assertThat(metadata.set(theirs).leader()).isEqualTo(1);
    member.eventually(() -> assertThat(member.entities()).containsExactly(mine, alone, theirs));
    member.eventually(() -> assertStatus(theirs, LEADING, 1));
  }

  @Test
  void entityWhoseSetIsGrantedElsewhereStandsByAndDoesNotClaimItBack() {
    int set = metadata.createTopic("t", 1, 2);
    member.eventually(() -> assertStatus(set, LEADING, 0));
    grantElsewhere(set);
    member.eventually(() -> assertStatus(set, STANDING_BY, 1));
    assertThat(metadata.set(set).leader()).isEqualTo(2);
  }

  @Test
  void handOverResignsWhereAnotherReplicaIsInSync() {
    int both = metadata.createTopic("both", 1, 2);
    int alone = metadata.createTopic("alone", 1);
    member.eventually(() -> assertThat(member.entities()).containsExactly(both, alone));
    member.handOver();
    assertThat(metadata.set(both).leader()).isEqualTo(2);
    assertThat(metadata.set(both).leaderEpoch()).isEqualTo(1);
    assertThat(metadata.set(alone).leader()).isEqualTo(1);
    assertThat(metadata.set(alone).leaderEpoch()).isZero();
  }

  @Test
  void entityAndShardOfARemovedSetGo() {
    int set = metadata.createTopic("t", 1, 2);
    int other = metadata.createTopic("other", 1);
    member.eventually(() -> assertThat(member.entities()).containsExactly(set, other));
    metadata.submit(
        new MetadataCommand.DeleteTopics(
            List.of(new MetadataCommand.TopicReference(Optional.of("t"), Optional.empty()))));
    metadata.apply(List.of(new MetadataRecord.ReplicaSetRemoved(set)));
    member.eventually(() -> assertThat(member.shardIds()).containsExactly(other));
  }

  @Test
  void whatCrossesNodesIsCborAndNothingElseLeaves() {
    SerializationTestKit kit = new SerializationTestKit(member.system);
    TestProbe<ReplicaSetLeader.Status> probe = TestProbe.create(member.system);
    kit.verifySerialization(new ReplicaSetLeader.Start(), true);
    kit.verifySerialization(new ReplicaSetLeader.GetStatus(probe.ref()), true);
    kit.verifySerialization(new ReplicaSetLeader.Status(3, 1, LEADING, 4), true);
    assertThat(
            SerializationExtension.get(member.system)
                .serialize(ReplicaSetLeader.Internal.STOP)
                .isFailure())
        .isTrue();
  }

  private void grantElsewhere(int setId) {
    ReplicaSetImage set = metadata.set(setId);
    var reply =
        metadata
            .submit(
                new MetadataCommand.ClaimLeadership(
                    setId, 2, metadata.nodeEpoch(2), set.leaderEpoch()))
            .toCompletableFuture()
            .join();
    assertThat(reply.leader()).isEqualTo(2);
  }
}
