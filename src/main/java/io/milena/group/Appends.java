package io.milena.group;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** The writes of a group that are under way, in their order. */
final class Appends {

  private final Map<Long, PendingAppend> underWay = new LinkedHashMap<>();
  private long nextId;

  void begin(Effects out, PendingAppend append) {
    long id = nextId++;
    underWay.put(id, append);
    out.append(id, append.records());
  }

  PendingAppend end(long appendId) {
    @Nullable PendingAppend append = underWay.remove(appendId);
    if (append == null) {
      throw new IllegalStateException("append " + appendId + " is not under way");
    }
    return append;
  }

  int count() {
    return underWay.size();
  }

  boolean isEmpty() {
    return underWay.isEmpty();
  }

  /** True while the assignment of this generation is being written. */
  boolean hasAssignmentOf(int generation) {
    return underWay.values().stream()
        .anyMatch(append ->
            append instanceof PendingAppend.Assignment assignment
                && assignment.generation() == generation);
  }

  /** Partitions whose committed offset is about to be stored: a deletion must cover them too. */
  Set<TopicPartition> partitionsBeingStored() {
    Set<TopicPartition> partitions = new HashSet<>();
    for (PendingAppend append : underWay.values()) {
      for (GroupRecord record : append.records()) {
        if (record instanceof GroupRecord.OffsetStored stored) {
          partitions.add(stored.partition());
        }
      }
    }
    return partitions;
  }

  /** True when the records are in the log even though the write was not acknowledged in time. */
  static boolean isInLog(Errors error) {
    return switch (error) {
      case NONE, REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS_AFTER_APPEND -> true;
      default -> false;
    };
  }

  /** What a client is told of a failed write. */
  static Errors toClient(Errors error) {
    return switch (error) {
      case UNKNOWN_TOPIC_OR_PARTITION,
          NOT_ENOUGH_REPLICAS,
          NOT_ENOUGH_REPLICAS_AFTER_APPEND,
          REQUEST_TIMED_OUT ->
          Errors.COORDINATOR_NOT_AVAILABLE;
      case NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, KAFKA_STORAGE_ERROR ->
          Errors.NOT_COORDINATOR;
      case MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, INVALID_FETCH_SIZE ->
          Errors.UNKNOWN_SERVER_ERROR;
      default -> error;
    };
  }
}
