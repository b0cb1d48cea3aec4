package io.milena.group;

import io.milena.group.GroupRequest.Heartbeat;
import io.milena.group.GroupRequest.Leave;
import io.milena.group.GroupRequest.Sync;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupResponseData.MemberResponse;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** What a member may do once it has joined: sync, send heartbeats, leave. */
final class MemberRules {

  private final Membership members;
  private final Rebalance rebalance;
  private final Appends appends;

  MemberRules(Membership members, Rebalance rebalance, Appends appends) {
    this.members = members;
    this.rebalance = rebalance;
    this.appends = appends;
  }

  void sync(long requestId, Sync request, Moment now, Effects out) {
    Errors error = validateSync(request);
    Member member = members.find(request.data().memberId());
    if (error != Errors.NONE || member == null) {
      out.reply(requestId, request.refusal(error));
      return;
    }
    switch (rebalance.state()) {
      case EMPTY, DEAD -> out.reply(requestId, request.refusal(Errors.UNKNOWN_MEMBER_ID));
      case PREPARING_REBALANCE ->
          out.reply(requestId, request.refusal(Errors.REBALANCE_IN_PROGRESS));
      case COMPLETING_REBALANCE -> {
        // An older request of the same member, from a connection that its client gave up.
        rebalance.answerSync(member, Rebalance.syncError(Errors.REBALANCE_IN_PROGRESS), out);
        member.syncRequestId = requestId;
        rebalance.syncArrived(member.memberId);
        if (members.isLeader(member.memberId) && !appends.hasAssignmentOf(rebalance.generation())) {
          storeAssignment(request, out);
        }
      }
      case STABLE -> {
        rebalance.syncArrived(member.memberId);
        rebalance.keepAlive(member, now);
        out.reply(requestId, rebalance.assignmentOf(member));
      }
    }
  }

  private Errors validateSync(Sync request) {
    if (rebalance.state() == GroupState.DEAD) {
      return Errors.COORDINATOR_NOT_AVAILABLE;
    }
    Errors error = members.validate(request.data().memberId(), request.data().groupInstanceId());
    if (error != Errors.NONE) {
      return error;
    }
    if (request.data().generationId() != rebalance.generation()) {
      return Errors.ILLEGAL_GENERATION;
    }
    return contradicts(request.data().protocolType(), members.protocolType())
            || contradicts(request.data().protocolName(), rebalance.protocol())
        ? Errors.INCONSISTENT_GROUP_PROTOCOL
        : Errors.NONE;
  }

  private static boolean contradicts(@Nullable String asked, @Nullable String chosen) {
    return asked != null && chosen != null && !asked.equals(chosen);
  }

  private void storeAssignment(Sync request, Effects out) {
    Map<String, byte[]> assignments = new HashMap<>();
    for (SyncGroupRequestAssignment assignment : request.data().assignments()) {
      assignments.put(assignment.memberId(), assignment.assignment());
    }
    appends.begin(
        out,
        new PendingAppend.Assignment(
            List.of(rebalance.snapshot(assignments)), rebalance.generation(), assignments));
  }

  /** The write of an assignment is done or failed; another rebalance may have overtaken it. */
  void assignmentStored(PendingAppend.Assignment append, Errors error, Moment now, Effects out) {
    if (rebalance.state() != GroupState.COMPLETING_REBALANCE
        || rebalance.generation() != append.generation()) {
      return;
    }
    if (error == Errors.NONE) {
      rebalance.settle(append.assignments(), now, out);
    } else {
      rebalance.resetAssignments(Appends.toClient(error), now, out);
      rebalance.prepare(now, out);
    }
  }

  /** The most frequent request by far: a lookup and a store. */
  Errors heartbeat(Heartbeat request, Moment now) {
    if (rebalance.state() == GroupState.DEAD) {
      return Errors.COORDINATOR_NOT_AVAILABLE;
    }
    Errors error = members.validate(request.data().memberId(), request.data().groupInstanceId());
    Member member = members.find(request.data().memberId());
    if (error != Errors.NONE || member == null) {
      return error;
    }
    if (request.data().generationId() != rebalance.generation()) {
      return Errors.ILLEGAL_GENERATION;
    }
    return switch (rebalance.state()) {
      case EMPTY, DEAD -> Errors.UNKNOWN_MEMBER_ID;
      case PREPARING_REBALANCE -> {
        rebalance.keepAlive(member, now);
        yield Errors.REBALANCE_IN_PROGRESS;
      }
      // Clients begin to send heartbeats as soon as they have joined.
      case COMPLETING_REBALANCE, STABLE -> {
        rebalance.keepAlive(member, now);
        yield Errors.NONE;
      }
    };
  }

  void leave(long requestId, Leave request, Moment now, Effects out) {
    if (rebalance.state() == GroupState.DEAD) {
      out.reply(requestId, request.refusal(Errors.COORDINATOR_NOT_AVAILABLE));
      return;
    }
    List<MemberResponse> responses = new ArrayList<>();
    boolean membersWent = false;
    boolean anyWent = false;
    for (MemberIdentity identity : request.data().members()) {
      Errors error;
      if (members.pending().remove(identity.memberId()) != null) {
        error = Errors.NONE;
        anyWent = true;
      } else {
        error = validateLeave(identity);
        Member member = find(identity);
        if (error == Errors.NONE && member != null) {
          rebalance.remove(member, out);
          membersWent = true;
          anyWent = true;
        }
      }
      responses.add(
          new MemberResponse()
              .setMemberId(identity.memberId())
              .setGroupInstanceId(identity.groupInstanceId())
              .setErrorCode(error.code()));
    }
    out.reply(requestId, new LeaveGroupResponseData().setMembers(responses));
    if (anyWent) {
      rebalance.afterRemoval(membersWent, now, out);
    }
  }

  /** An administrator removes a static member by its instance id alone (KIP-345). */
  private Errors validateLeave(MemberIdentity identity) {
    if (identity.memberId().isEmpty()) {
      return find(identity) == null ? Errors.UNKNOWN_MEMBER_ID : Errors.NONE;
    }
    return members.validate(identity.memberId(), identity.groupInstanceId());
  }

  private @Nullable Member find(MemberIdentity identity) {
    if (!identity.memberId().isEmpty()) {
      return members.find(identity.memberId());
    }
    return identity.groupInstanceId() == null
        ? null
        : members.findStatic(identity.groupInstanceId());
  }
}
