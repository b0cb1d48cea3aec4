package io.milena.replication.actor;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.TestInbox;
import io.milena.replication.FollowerPosition;
import io.milena.replication.LeaderAnswer;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.Test;

/** What reaches the actor of a replica while that is being attached. */
class ReplicaHandleTest {

  private static final ReplicaCommand.Lead LEAD =
      new ReplicaCommand.Lead(3, List.of(1, 2), List.of(1, 2));
  private static final FollowerPosition POSITION = new FollowerPosition(2, 7, 3, 0, 0, 0, 1);

  private final ReplicaHandle handle =
      new ReplicaHandle(
          new TopicPartition("t", 0), Uuid.randomUuid(), 0, new ReplicaHandle.Offsets(0, 0, 0));
  private final TestInbox<ReplicaCommand> actor = TestInbox.create();

  /**
   * The actor runs as soon as it has been told of its role, before whoever attached it has gone on.
   * The follower of a partition that stays empty says where it stands only then.
   */
  @Test
  void positionOfAFollowerReachesAnActorThatShowsThatItLeadsBeforeItIsAttached() {
    handle.assign(LEAD);
    handle.addListener(() -> handle.onFollowerPosition(POSITION));
    handle.publish(view(ReplicaRole.LEADER, 1));
    handle.attach(actor.getRef());
    assertThat(actor.getAllReceived())
        .containsExactly(LEAD, new ReplicaCommand.FollowerFetched(POSITION));
  }

  @Test
  void answerOfALeaderReachesAnActorThatShowsThatItFollowsBeforeItIsAttached() {
    LeaderAnswer answer = answer();
    handle.publish(view(ReplicaRole.FOLLOWER, 2));
    CompletableFuture<Void> done = handle.onLeaderAnswer(answer).toCompletableFuture();
    handle.attach(actor.getRef());
    assertThat(actor.getAllReceived())
        .singleElement()
        .isInstanceOfSatisfying(
            ReplicaCommand.LeaderAnswered.class,
            answered -> assertThat(answered.answer()).isSameAs(answer));
    assertThat(done).isNotDone();
  }

  @Test
  void answerToAReplicaThatIsClosedIsRefused() {
    handle.attach(actor.getRef());
    handle.detach();
    handle.onFollowerPosition(POSITION);
    assertThat(handle.onLeaderAnswer(answer()).toCompletableFuture()).isCompletedExceptionally();
    assertThat(actor.getAllReceived()).isEmpty();
  }

  private static ReplicaView view(ReplicaRole role, int leader) {
    return new ReplicaView(role, 3, leader, EmptyViews.OPENING.log(), 0, 0, 0);
  }

  private static LeaderAnswer answer() {
    return new LeaderAnswer(3, 0, -1, Errors.NONE, 0, 0, null, MemoryRecords.EMPTY);
  }
}
