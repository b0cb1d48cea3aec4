package io.milena.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.raft.Membership;
import io.milena.raft.MembershipChange;
import io.milena.raft.MembershipChange.AddLearner;
import io.milena.raft.MembershipChange.AddVoter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

class MembershipPlanTest {

  private static final int TARGET = 3;

  private static Optional<MembershipChange> next(
      MetadataImage image, Membership now, Integer... caughtUp) {
    return MembershipPlan.next(image, now, 0, Set.of(caughtUp), TARGET);
  }

  private static Membership of(Set<Integer> voters, Integer... learners) {
    return new Membership(voters, Set.of(learners));
  }

  @Test
  void registeredNodesFollowOneAfterTheOther() {
    MetadataImage image = MetadataFixture.withNodes(3).image();
    assertThat(next(image, of(Set.of(0)))).contains(new AddLearner(1));
    assertThat(next(image, of(Set.of(0), 1))).contains(new AddLearner(2));
  }

  @Test
  void secondVoterComesOnlyWithAThird() {
    MetadataImage two = MetadataFixture.withNodes(2).image();
    assertThat(next(two, of(Set.of(0), 1), 0, 1)).isEmpty();
    MetadataImage three = MetadataFixture.withNodes(3).image();
    assertThat(next(three, of(Set.of(0), 1, 2), 0, 1)).isEmpty();
    assertThat(next(three, of(Set.of(0), 1, 2), 0, 1, 2)).contains(new AddVoter(1));
    assertThat(next(three, of(Set.of(0, 1), 2), 0, 1, 2)).contains(new AddVoter(2));
    assertThat(next(three, of(Set.of(0, 1, 2)), 0, 1, 2)).isEmpty();
  }

  @Test
  void fencedLearnersDoNotVote() {
    MetadataFixture group = MetadataFixture.withNodes(3);
    group.submit(new MetadataCommand.FenceNode(2, group.image().nodes().get(2).nodeEpoch()));
    assertThat(next(group.image(), of(Set.of(0), 1, 2), 0, 1, 2)).isEmpty();
  }

  @Test
  void othersStayLearnersOnceTheTargetIsReached() {
    MetadataImage image = MetadataFixture.withNodes(5).image();
    List<MembershipChange> changes = new ArrayList<>();
    Membership now = of(Set.of(0));
    for (Optional<MembershipChange> change;
        (change = next(image, now, 0, 1, 2, 3, 4)).isPresent(); ) {
      now = now.with(change.get());
      changes.add(change.get());
    }
    assertThat(now).isEqualTo(of(Set.of(0, 1, 2), 3, 4));
    assertThat(changes).hasSize(6);
  }

  @Test
  void memberThatIsNotRegisteredAnyMoreGoesButNeverTheLeaderItself() {
    MetadataImage image = MetadataFixture.withNodes(2).image();
    assertThat(next(image, of(Set.of(0, 7), 1))).contains(new MembershipChange.Remove(7));
    assertThat(next(MetadataImage.EMPTY, of(Set.of(0)))).isEmpty();
  }

  private static MembershipPlan.Requested requested(
      MetadataImage image, Membership now, int node, boolean votes) {
    return MembershipPlan.requested(
        image, now, new MetadataCommand.ChangeVoter(node, Uuid.ZERO_UUID, votes), TARGET);
  }

  private static Errors errorOf(MembershipPlan.Requested requested) {
    return switch (requested) {
      case MembershipPlan.Requested.Due _ -> Errors.NONE;
      case MembershipPlan.Requested.Refused(MetadataReply.Done reply) -> reply.error();
    };
  }

  /** KIP-853. */
  @Test
  void voterIsAddedAndRemovedOnRequest() {
    MetadataImage image = MetadataFixture.withNodes(4).image();
    Membership now = of(Set.of(0, 1, 2), 3);
    assertThat(requested(image, now, 3, true))
        .isEqualTo(new MembershipPlan.Requested.Due(new AddVoter(3)));
    assertThat(errorOf(requested(image, now, 2, true))).isEqualTo(Errors.DUPLICATE_VOTER);
    assertThat(errorOf(requested(image, now, 3, false))).isEqualTo(Errors.VOTER_NOT_FOUND);
    assertThat(errorOf(requested(image, of(Set.of(0), 1), 0, false)))
        .isEqualTo(Errors.INVALID_REQUEST);
    assertThat(requested(image, of(Set.of(0, 1, 2, 3)), 0, false))
        .isEqualTo(new MembershipPlan.Requested.Due(new AddLearner(0)));
  }

  @Test
  void voterThatWouldBeMadeOneAgainIsNotRemovedUnlessItIsNotRunning() {
    MetadataFixture group = MetadataFixture.withNodes(3);
    Membership now = of(Set.of(0, 1, 2));
    assertThat(errorOf(requested(group.image(), now, 2, false))).isEqualTo(Errors.INVALID_REQUEST);
    group.fence(2);
    assertThat(requested(group.image(), now, 2, false))
        .isEqualTo(new MembershipPlan.Requested.Due(new AddLearner(2)));
  }
}
