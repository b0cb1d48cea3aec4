package io.milena.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.cluster.FencedMembers.Seen;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.NodeImage;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class FencedMembersTest {

  private static final MemberIdentity SELF = new MemberIdentity(1, new Uuid(1, 1));
  private static final MemberIdentity OTHER = new MemberIdentity(2, new Uuid(2, 1));

  private final SharedMetadata metadata = new SharedMetadata();
  private final FencedMembers rules = new FencedMembers(SELF);

  private Set<MemberIdentity> look(boolean otherIsReachable) {
    return rules.toDown(
        metadata::image, List.of(new Seen(SELF, true), new Seen(OTHER, otherIsReachable)));
  }

  @Test
  void memberThatIsFencedAfterItWasLiveIsDowned() {
    metadata.start(SELF);
    metadata.start(OTHER);
    assertThat(look(true)).isEmpty();
    metadata.fence(2);
    assertThat(look(true)).containsExactly(OTHER);
  }

  @Test
  void liveMemberStaysHoweverUnreachableItSeems() {
    metadata.start(OTHER);
    assertThat(look(false)).isEmpty();
  }

  @Test
  void memberThatIsStartingStaysWhileItCanBeReached() {
    assertThat(look(true)).isEmpty();
    metadata.register(OTHER);
    assertThat(look(true)).isEmpty();
    assertThat(look(false)).containsExactly(OTHER);
  }

  @Test
  void earlierLifeOfANodeThatRegisteredAnewIsDowned() {
    metadata.start(OTHER);
    assertThat(look(true)).isEmpty();
    metadata.register(new MemberIdentity(2, new Uuid(2, 2)));
    assertThat(look(true)).containsExactly(OTHER);
  }

  @Test
  void newLifeOfAFencedNodeStays() {
    metadata.start(OTHER);
    look(true);
    metadata.fence(2);
    MemberIdentity again = new MemberIdentity(2, new Uuid(2, 2));
    assertThat(rules.toDown(metadata::image, List.of(new Seen(again, true)))).isEmpty();
    metadata.start(again);
    assertThat(rules.toDown(metadata::image, List.of(new Seen(again, false)))).isEmpty();
  }

  @Test
  void nodeNeverDownsItself() {
    metadata.start(SELF);
    look(true);
    metadata.fence(1);
    assertThat(look(true)).doesNotContain(SELF);
  }

  @Test
  void rolesNameANodeAndItsLife() {
    assertThat(MemberIdentity.of(Set.copyOf(OTHER.roles()))).contains(OTHER);
    assertThat(MemberIdentity.of(Set.of("dc-default", "node-3"))).isEmpty();
    assertThat(MemberIdentity.of(Set.of("node-x", "incarnation-" + Uuid.ZERO_UUID))).isEmpty();
  }

  @Test
  void memberThatComesToBeLiveWhileTheRulesLookStays() {
    metadata.register(OTHER);
    MetadataImage starting = metadata.image();
    metadata.unfence(2);
    NodeImage live = metadata.image().nodes().get(2);
    assertThat(
            rules.toDown(
                () -> {
                  rules.note(live);
                  return starting;
                },
                List.of(new Seen(OTHER, true))))
        .isEmpty();
    assertThat(look(true)).isEmpty();
  }
}
