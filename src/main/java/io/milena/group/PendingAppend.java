package io.milena.group;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;

/** What a group goes on with once records are written. */
sealed interface PendingAppend {

  /** The records under way. */
  List<GroupRecord> records();

  /** An answer waits for offsets to be stored or forgotten. */
  record Answer(
      List<GroupRecord> records,
      long requestId,
      Message ifWritten,
      java.util.function.Function<Errors, Message> ifFailed)
      implements PendingAppend {}

  /** The leader's assignment for a generation. */
  record Assignment(List<GroupRecord> records, int generation, Map<String, byte[]> assignments)
      implements PendingAppend {}

  /**
   * A static member came back under a new id and keeps its assignment.
   *
   * @param former the member as it was, to be put back if the write fails
   * @param formerLeader the leader's id before
   */
  record StaticMemberReturned(
      List<GroupRecord> records,
      int generation,
      Member former,
      Member current,
      String formerLeader,
      GroupRequest.Join request,
      long requestId)
      implements PendingAppend {}

  /** The group and all it remembers goes. */
  record Deletion(List<GroupRecord> records, long requestId, GroupRequest.Delete request)
      implements PendingAppend {}

  /** Nothing waits for it. */
  record Bookkeeping(List<GroupRecord> records) implements PendingAppend {}
}
