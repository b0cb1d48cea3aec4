package io.milena.http.stream;

import io.milena.http.HttpFailure;
import io.milena.http.group.GroupMember;
import io.milena.http.group.Groups;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.ToLongFunction;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A stream's membership in a group, whose members share the partitions. Commits what the connection
 * took a while ago: what it took since may never have reached a reader that is gone, and goes to
 * another member again.
 *
 * <p>All of it runs within the stream's stage, but for {@link GroupMember.Listener}'s methods.
 */
final class SharedReading implements GroupMember.Listener {

  private static final Logger LOG = LoggerFactory.getLogger(SharedReading.class);

  /** What a stream offers. */
  interface Stage {
    /** Runs a task within the stage, or never if the stage has ended. */
    void run(Runnable task);

    /** The partitions have changed. */
    void changed();

    /** The group refuses the stream. */
    void refused(HttpFailure failure);
  }

  private final Groups groups;
  private final String group;
  private final ToLongFunction<TopicPartition> uncommitted;
  private final Stage stage;
  private @Nullable GroupMember member;
  private Map<TopicPartition, Long> assignment = Map.of();
  private Map<TopicPartition, Long> sent = Map.of();
  private Map<TopicPartition, Long> delivered = Map.of();
  private Map<TopicPartition, Long> settled = Map.of();
  private Map<TopicPartition, Long> committed = Map.of();

  /**
   * @param uncommitted where to begin in a partition that the group has committed nothing for
   */
  SharedReading(
      Groups groups, String group, ToLongFunction<TopicPartition> uncommitted, Stage stage) {
    this.groups = groups;
    this.group = group;
    this.uncommitted = uncommitted;
    this.stage = stage;
  }

  void start(GroupMember joining) {
    member = joining;
    joining.start();
  }

  /** The partitions to read, and where to begin in each. */
  Map<TopicPartition, Long> assignment() {
    return assignment;
  }

  /** The stream hands over what ends at these positions. */
  void sending(Map<TopicPartition, Long> positions) {
    sent = positions;
  }

  /** What was handed over last has been taken. */
  void taken() {
    delivered = sent;
  }

  /** Called now and then: commits what had been taken at the call before. */
  void tick() {
    var _ = commit(settled);
    settled = delivered;
  }

  private CompletionStage<?> commit(Map<TopicPartition, Long> positions) {
    GroupMember joined = member;
    if (joined == null || positions.isEmpty() || positions.equals(committed)) {
      return CompletableFuture.completedFuture(null);
    }
    Map<TopicPartition, Groups.Committed> offsets = new HashMap<>();
    positions.forEach((partition, next) -> offsets.put(partition, new Groups.Committed(next, "")));
    committed = positions;
    return joined
        .commit(offsets)
        .exceptionally(failure -> {
          LOG.debug("a stream of group {} cannot commit: {}", group, failure.toString());
          return null;
        });
  }

  /**
   * The stream has ended.
   *
   * @param complete by itself, with everything sent that was asked for
   */
  void leave(boolean complete) {
    GroupMember joined = member;
    if (joined != null) {
      commit(complete ? sent : settled).whenComplete((_, _) -> joined.leave());
    }
  }

  @Override
  public void assigned(List<TopicPartition> partitions) {
    groups
        .committed(group, partitions)
        .whenComplete((known, failure) ->
            stage.run(() -> {
              if (failure != null) {
                stage.refused(
                    new HttpFailure(503, 503, "group " + group + ": " + failure.getMessage()));
                return;
              }
              Map<TopicPartition, Long> begin = new HashMap<>();
              for (TopicPartition partition : partitions) {
                Groups.Committed offset = known.get(partition);
                begin.put(
                    partition,
                    offset == null ? uncommitted.applyAsLong(partition) : offset.offset());
              }
              take(begin);
            }));
  }

  private void take(Map<TopicPartition, Long> begin) {
    assignment = begin;
    sent = Map.of();
    delivered = Map.of();
    settled = Map.of();
    committed = Map.of();
    stage.changed();
  }

  @Override
  public CompletionStage<?> revoked() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    stage.run(() -> {
      CompletionStage<?> committing = commit(delivered);
      take(Map.of());
      committing.whenComplete((_, _) -> done.complete(null));
    });
    return done;
  }

  @Override
  public void failed(HttpFailure failure) {
    stage.run(() -> stage.refused(failure));
  }
}
