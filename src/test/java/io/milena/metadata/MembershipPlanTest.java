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
}
