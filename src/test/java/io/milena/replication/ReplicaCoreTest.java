package io.milena.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.milena.log.AppendOutcome;
import io.milena.log.LogConfig;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.Test;

class ReplicaCoreTest {

  private static final short ALL = -1;
  private static final short ONE = 1;
  private static final List<Integer> REPLICAS = List.of(1, 2);

  private final ModelLog leaderLog = new ModelLog();
  private final ModelLog log = new ModelLog();
  private ReplicaCore core = core(Map.of(), 1, 0);

  private ReplicaCore core(Map<String, String> config, int minIsr, long highWatermark) {
    return new ReplicaCore(
        1,
        new TopicPartition("t", 0),
        log,
        new ReplicaConfig(LogConfig.of(config), minIsr),
        highWatermark,
        InSyncReports.NONE);
  }

  private static void append(ModelLog log, int epoch, int count) {
    for (int i = 0; i < count; i++) {
      log.appendAsLeader(epoch, new byte[] {(byte) epoch, (byte) i});
    }
  }

  /** What the leader that has {@code leaderLog} answers to where the follower stands. */
  private LeaderAnswer answer(int epoch, long highWatermark) {
    long offset = log.logEndOffset();
    int lastEpoch = log.latestLeaderEpoch();
    return switch (Divergence.of(leaderLog, offset, lastEpoch)) {
      case Divergence.None _ ->
          answer(epoch, Errors.NONE, highWatermark, null, leaderLog.records(offset, 100));
      case Divergence.Diverging(DivergingEpoch where) ->
          answer(epoch, Errors.NONE, highWatermark, where, MemoryRecords.EMPTY);
      case Divergence.BelowLogStart _ ->
          answer(epoch, Errors.OFFSET_OUT_OF_RANGE, highWatermark, null, MemoryRecords.EMPTY);
    };
  }

  private LeaderAnswer answer(
      int epoch,
      Errors error,
      long highWatermark,
      DivergingEpoch diverging,
      MemoryRecords records) {
    return new LeaderAnswer(
        epoch,
        log.logEndOffset(),
        log.latestLeaderEpoch(),
        error,
        highWatermark,
        leaderLog.logStartOffset(),
        diverging,
        records);
  }

  private void followUntilEqual(int epoch, long highWatermark) {
    for (int i = 0; i < 20 && log.logEndOffset() != leaderLog.logEndOffset(); i++) {
      core.onLeaderAnswer(answer(epoch, highWatermark), 0);
    }
    assertThat(log.records(0, 1_000).buffer()).isEqualTo(leaderLog.records(0, 1_000).buffer());
  }

  @Test
  void aFollowerAppendsWhatTheLeaderSendsAndFollowsItsHighWatermark() {
    append(leaderLog, 3, 5);
    core.follow(3, 2);
    assertThat(core.onLeaderAnswer(answer(3, 9), 0)).isEqualTo(FollowedAnswer.Followed.FOLLOWED);
    assertThat(core.view().role()).isEqualTo(ReplicaRole.FOLLOWER);
    assertThat(core.view().leaderId()).isEqualTo(2);
    assertThat(core.highWatermark()).as("never past its own end").isEqualTo(5);
    assertThat(core.onLeaderAnswer(answer(3, 5), 0)).isEqualTo(FollowedAnswer.Unchanged.UNCHANGED);
    assertThat(core.onLeaderAnswer(answer(3, 4), 0)).isEqualTo(FollowedAnswer.Unchanged.UNCHANGED);
    assertThat(core.highWatermark()).isEqualTo(5);
  }

  @Test
  void answersToAnotherPositionOrEpochAreDropped() {
    append(leaderLog, 3, 5);
    core.follow(3, 2);
    LeaderAnswer first = answer(3, 5);
    assertThat(core.onLeaderAnswer(answer(2, 5), 0)).isEqualTo(FollowedAnswer.Unchanged.UNCHANGED);
    core.onLeaderAnswer(first, 0);
    assertThat(core.onLeaderAnswer(first, 0)).isEqualTo(FollowedAnswer.Unchanged.UNCHANGED);
    LeaderAnswer lateCut =
        new LeaderAnswer(
            3, 0, -1, Errors.NONE, 0, 0, new DivergingEpoch(-1, 0), MemoryRecords.EMPTY);
    assertThat(core.onLeaderAnswer(lateCut, 0)).isEqualTo(FollowedAnswer.Unchanged.UNCHANGED);
    core.follow(4, 3);
    assertThat(core.onLeaderAnswer(answer(3, 5), 0)).isEqualTo(FollowedAnswer.Unchanged.UNCHANGED);
    assertThat(log.logEndOffset()).isEqualTo(5);
  }

  @Test
  void aFollowerTruncatesToWhereTheLogsAgree() {
    append(log, 1, 4);
    append(leaderLog, 1, 4);
    append(log, 2, 3); // Never committed: the leader of epoch 2 failed.
    append(leaderLog, 4, 6);
    core.follow(4, 2);
    assertThat(core.onLeaderAnswer(answer(4, 4), 0))
        .isEqualTo(new FollowedAnswer.Truncated(7, 4, 0));
    followUntilEqual(4, 10);
  }

  @Test
  void aFollowerFindsTheCommonEndThroughSeveralEpochsOfBoth() {
    // KIP-279: leaders failed fast one after the other, and each log kept some of it.
    append(log, 1, 4);
    append(leaderLog, 1, 3);
    append(log, 2, 2);
    append(leaderLog, 3, 2);
    append(log, 5, 3);
    append(leaderLog, 6, 9);
    core.follow(7, 2);
    followUntilEqual(7, 14);
  }

  @Test
  void aFollowerBehindTheLeadersLogStartBeginsAnewThereAlsoWithinABatch() {
    leaderLog.appendAsLeader(1, new byte[1], new byte[1], new byte[1]);
    leaderLog.appendAsLeader(1, new byte[1], new byte[1], new byte[1]);
    leaderLog.advanceLogStartOffset(4);
    core.follow(1, 2);
    core.onLeaderAnswer(answer(1, 6), 0);
    assertThat(log.logStartOffset()).isEqualTo(4);
    assertThat(core.highWatermark()).isEqualTo(4);
    followUntilEqual(1, 6);
    assertThat(log.logStartOffset()).isEqualTo(4);
    assertThat(core.highWatermark()).isEqualTo(6);
  }

  @Test
  void anEmptyFollowerForgetsAnEpochThatTheLeaderDoesNotKnow() {
    append(log, 5, 3);
    log.advanceLogStartOffset(3);
    assertThat(log.latestLeaderEpoch()).isEqualTo(5);
    append(leaderLog, 2, 3);
    core.follow(6, 2);
    core.onLeaderAnswer(answer(6, 3), 0);
    append(leaderLog, 6, 1);
    core.onLeaderAnswer(answer(6, 4), 0);
    assertThat(log.logEndOffset()).isEqualTo(4);
  }

  @Test
  void aFollowerFollowsTheLogStart() {
    append(leaderLog, 1, 6);
    core.follow(1, 2);
    core.onLeaderAnswer(answer(1, 6), 0);
    leaderLog.advanceLogStartOffset(4);
    assertThat(core.onLeaderAnswer(answer(1, 6), 0)).isEqualTo(FollowedAnswer.Followed.FOLLOWED);
    assertThat(log.logStartOffset()).isEqualTo(4);
  }

  @Test
  void aDamagedBatchIsRefusedAndWhatCameBeforeItStays() {
    append(leaderLog, 1, 3);
    core.follow(1, 2);
    LeaderAnswer answer = answer(1, 3);
    int last = answer.records().sizeInBytes() - 1;
    answer.records().buffer().put(last, (byte) ~answer.records().buffer().get(last));
    assertThat(core.onLeaderAnswer(answer, 0))
        .isInstanceOfSatisfying(
            FollowedAnswer.Refused.class,
            refused -> assertThat(refused.error()).isEqualTo(Errors.CORRUPT_MESSAGE));
    assertThat(log.logEndOffset()).isEqualTo(2);
    assertThat(core.highWatermark()).isEqualTo(2);
  }

  @Test
  void inFsyncModeAFollowerKeepsWhatIsOnDisk() {
    core = core(Map.of("durability", "fsync"), 1, 0);
    append(leaderLog, 1, 4);
    core.follow(1, 2);
    core.onLeaderAnswer(answer(1, 0), 0);
    assertThat(core.view().keptEndOffset()).isZero();
    assertThat(core.awaitsFlush()).isTrue();
    log.flush(4);
    core.onLogEnd();
    assertThat(core.view().keptEndOffset()).isEqualTo(4);
    assertThat(core.awaitsFlush()).isFalse();
  }

  @Test
  void whatANewLeaderHasNotSeenCommittedIsCommittedOnceEveryInSyncReplicaIsHeardOf() {
    append(log, 1, 5);
    core = core(Map.of(), 1, 3);
    core.lead(2, REPLICAS, REPLICAS, 0);
    assertThat(core.highWatermark()).isEqualTo(3);
    assertThat(core.onFollowerPosition(new FollowerPosition(2, 0, 1, 0, 5, 5, 0)))
        .as("a position in another epoch")
        .isFalse();
    assertThat(core.onFollowerPosition(new FollowerPosition(2, 0, 2, 0, 5, 5, 0))).isTrue();
    assertThat(core.highWatermark()).isEqualTo(5);
  }

  @Test
  void aNewLeadersHighWatermarkIsCurrentOnceItReachesTheStartOfItsEpoch() {
    append(log, 1, 5);
    core = core(Map.of(), 1, 3);
    core.lead(2, REPLICAS, REPLICAS, 0);
    assertThat(core.view().isHighWatermarkCurrent()).isFalse();
    append(log, 2, 2);
    core.onLogEnd();
    core.onFollowerPosition(new FollowerPosition(2, 0, 2, 0, 4, 4, 0));
    assertThat(core.view().isHighWatermarkCurrent()).isFalse();
    core.onFollowerPosition(new FollowerPosition(2, 0, 2, 0, 5, 5, 0));
    assertThat(core.view().isHighWatermarkCurrent()).isTrue();
  }

  @Test
  void appendsThatWaitAreAnsweredByWhatBecomesOfTheInSyncReplicas() {
    core = core(Map.of(), 2, 0);
    core.lead(1, List.of(1, 2, 3), REPLICAS, 0);
    assertThat(core.refusal(1, ALL)).isNull();
    CompletableFuture<AppendOutcome> committed = appendOne();
    CompletableFuture<AppendOutcome> left = appendOne();
    core.onFollowerPosition(new FollowerPosition(2, 0, 1, 0, 1, 1, 0));
    core.acknowledge();
    assertThat(committed).isCompletedWithValueMatching(AppendOutcome.Appended.class::isInstance);
    assertThat(left).isNotDone();
    core.lead(1, List.of(1, 2, 3), List.of(1), 0);
    assertRejected(left.join(), Errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND);
    assertRejected(core.refusal(1, ALL), Errors.NOT_ENOUGH_REPLICAS);
    assertThat(core.refusal(1, ONE)).isNull();
    core.lead(1, List.of(1, 2, 3), REPLICAS, 0);
    CompletableFuture<AppendOutcome> late = appendOne();
    core.expire(2_000_000);
    assertRejected(late.join(), Errors.REQUEST_TIMED_OUT);
    CompletableFuture<AppendOutcome> deposed = appendOne();
    core.follow(2, 2);
    assertRejected(deposed.join(), Errors.NOT_LEADER_OR_FOLLOWER);
  }

  private CompletableFuture<AppendOutcome> appendOne() {
    long base = log.appendAsLeader(core.leaderEpoch(), new byte[1]);
    core.onLogEnd();
    CompletableFuture<AppendOutcome> reply = new CompletableFuture<>();
    assertThat(core.isKept(base + 1, ALL)).isFalse();
    core.acknowledgeOnceKept(
        base + 1, ALL, 1, new AppendOutcome.Appended(base, base, -1), reply, 0);
    return reply;
  }

  private static void assertRejected(AppendOutcome outcome, Errors error) {
    assertThat(outcome)
        .isInstanceOfSatisfying(
            AppendOutcome.Rejected.class,
            rejected -> assertThat(rejected.error()).isEqualTo(error));
  }

  @Test
  void recordsAreDeletedOnceEveryInSyncReplicaHasDeletedThem() {
    core.lead(1, REPLICAS, REPLICAS, 0);
    append(log, 1, 4);
    core.onLogEnd();
    core.onFollowerPosition(new FollowerPosition(2, 0, 1, 0, 4, 4, 0));
    CompletableFuture<Long> deleted = new CompletableFuture<>();
    assertThat(core.deleteRecords(3, deleted)).isTrue();
    core.completeDeletions();
    assertThat(deleted).isNotDone();
    core.onFollowerPosition(new FollowerPosition(2, 0, 1, 3, 4, 4, 0));
    assertThat(deleted).isCompletedWithValue(3L);
    CompletableFuture<Long> given = new CompletableFuture<>();
    core.deleteRecords(-1, given);
    core.follow(2, 2);
    assertThatThrownBy(given::join).hasCauseInstanceOf(NotLeaderOrFollowerException.class);
  }
}
