package io.milena.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OtherNodesTest {

  private final SharedMetadata metadata = new SharedMetadata();
  private final OtherNodes others = new OtherNodes(1, metadata);

  @BeforeEach
  void startThree() {
    for (int node = 1; node <= 3; node++) {
      metadata.start(life(node, 1));
    }
    metadata.subscribe(others);
  }

  private static MemberIdentity life(int node, int number) {
    return new MemberIdentity(node, new Uuid(node, number));
  }

  private CompletableFuture<Void> whenNoneStays() {
    return others.whenNoneStays().toCompletableFuture();
  }

  @Test
  void fencedStoppingAndGoneNodesDoNotStay() {
    CompletableFuture<Void> noneStays = whenNoneStays();
    metadata.fence(2);
    assertThat(noneStays).isNotDone();
    metadata.beginShutdown(3);
    assertThat(noneStays).isDone();

    metadata.start(life(2, 2));
    assertThat(noneStays).as("who comes back cannot take over either").isDone();
  }

  @Test
  void processThatIsGoneDoesNotStayThoughTheGroupHasNotTakenNote() {
    metadata.beginShutdown(2);
    others.gone(3);
    assertThat(whenNoneStays()).isDone();
  }

  @Test
  void laterLifeOfAGoneNodeStays() {
    metadata.fence(2);
    others.gone(3);
    metadata.start(life(3, 2));
    assertThat(whenNoneStays()).isNotDone();
    others.gone(3);
    assertThat(whenNoneStays()).isDone();
  }

  @Test
  void nodeThatIsAloneHasNobodyToLeave() {
    SharedMetadata alone = new SharedMetadata();
    alone.start(life(1, 1));
    assertThat(new OtherNodes(1, alone).whenNoneStays().toCompletableFuture()).isDone();
  }
}
