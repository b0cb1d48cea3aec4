package io.milena.group;

import io.milena.group.GroupRequest.Join;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.protocol.Errors;

/** Who may join, under which id, and whether that means a rebalance (KIP-62, 345, 394, 814). */
final class JoinRules {

  private final GroupConfig config;
  private final Membership members;
  private final Rebalance rebalance;
  private final Appends appends;

  JoinRules(GroupConfig config, Membership members, Rebalance rebalance, Appends appends) {
    this.config = config;
    this.members = members;
    this.rebalance = rebalance;
    this.appends = appends;
  }

  void join(long requestId, Join request, Moment now, Effects out) {
    String memberId = request.data().memberId();
    List<Member.Protocol> protocols = protocols(request);
    if (request.data().sessionTimeoutMs() < config.minSessionTimeoutMs()
        || request.data().sessionTimeoutMs() > config.maxSessionTimeoutMs()) {
      out.reply(requestId, request.refusal(Errors.INVALID_SESSION_TIMEOUT));
    } else if (rebalance.state() == GroupState.DEAD) {
      out.reply(requestId, request.refusal(Errors.COORDINATOR_NOT_AVAILABLE));
    } else if (!hasRoomFor(memberId)) {
      giveUp(memberId, now, out);
      out.reply(
          requestId, request.refusal(Errors.GROUP_MAX_SIZE_REACHED, Membership.UNKNOWN_MEMBER_ID));
    } else if (!members.supports(request.data().protocolType(), protocols)) {
      out.reply(requestId, request.refusal(Errors.INCONSISTENT_GROUP_PROTOCOL));
    } else if (memberId.isEmpty()) {
      joinNew(requestId, request, protocols, now, out);
    } else if (members.pending().containsKey(memberId)) {
      add(requestId, request, memberId, protocols, now, out);
    } else {
      rejoin(requestId, request, protocols, now, out);
    }
  }

  private void giveUp(String memberId, Moment now, Effects out) {
    Member member = members.find(memberId);
    boolean pendingWent = members.pending().remove(memberId) != null;
    if (member != null) {
      rebalance.remove(member, out);
    }
    if (member != null || pendingWent) {
      rebalance.afterRemoval(member != null, now, out);
    }
  }

  private boolean hasRoomFor(String memberId) {
    Member member = members.find(memberId);
    return switch (rebalance.state()) {
      case EMPTY, DEAD -> true;
      case PREPARING_REBALANCE ->
          (member != null && member.isAwaitingJoin())
              || members.awaitingJoinCount() < config.maxSize();
      case COMPLETING_REBALANCE, STABLE -> member != null || members.size() < config.maxSize();
    };
  }

  private void joinNew(
      long requestId, Join request, List<Member.Protocol> protocols, Moment now, Effects out) {
    String instanceId = request.data().groupInstanceId();
    String memberId = request.memberIdIfNew();
    if (instanceId != null) {
      Member former = members.findStatic(instanceId);
      if (former == null) {
        add(requestId, request, memberId, protocols, now, out);
      } else {
        replaceStatic(requestId, request, former, protocols, now, out);
      }
    } else if (request.requiresKnownMemberId()) {
      rebalance.addPending(memberId, request.data().sessionTimeoutMs(), now);
      out.reply(requestId, request.refusal(Errors.MEMBER_ID_REQUIRED, memberId));
    } else {
      add(requestId, request, memberId, protocols, now, out);
    }
  }

  private void add(
      long requestId,
      Join request,
      String memberId,
      List<Member.Protocol> protocols,
      Moment now,
      Effects out) {
    Member member =
        new Member(
            memberId,
            request.data().groupInstanceId(),
            request.clientId(),
            request.clientHost(),
            request.rebalanceTimeoutMs(),
            request.data().sessionTimeoutMs(),
            protocols);
    member.isNew = true;
    member.joinRequestId = requestId;
    rebalance.noteNewMember();
    members.add(member, request.data().protocolType());
    rebalance.keepAlive(member, now, config.newMemberJoinTimeoutMs());
    rebalance.prepareOrComplete(now, out);
  }

  private void rejoin(
      long requestId, Join request, List<Member.Protocol> protocols, Moment now, Effects out) {
    String memberId = request.data().memberId();
    Errors error = members.validate(memberId, request.data().groupInstanceId());
    Member member = members.find(memberId);
    if (error != Errors.NONE || member == null) {
      out.reply(requestId, request.refusal(error));
      return;
    }
    boolean unchanged = member.offersExactly(protocols);
    boolean answerAtOnce =
        switch (rebalance.state()) {
          case PREPARING_REBALANCE, EMPTY, DEAD -> false;
          // The answer to its earlier request was lost: give it again.
          case COMPLETING_REBALANCE -> unchanged;
          // A leader that joins asks for a rebalance: subscriptions or partitions have changed.
          case STABLE -> unchanged && !members.isLeader(memberId);
        };
    if (answerAtOnce) {
      out.reply(requestId, rebalance.generationAsSeenBy(member));
      return;
    }
    // An older request of the same member, from a connection that its client gave up.
    rebalance.answerJoin(
        member, Rebalance.error(Errors.REBALANCE_IN_PROGRESS, member.memberId), out);
    members.update(
        member,
        protocols,
        request.rebalanceTimeoutMs(),
        request.data().sessionTimeoutMs(),
        requestId);
    rebalance.prepareOrComplete(now, out);
  }

  private void replaceStatic(
      long requestId,
      Join request,
      Member former,
      List<Member.Protocol> protocols,
      Moment now,
      Effects out) {
    String formerLeader = members.leaderId() == null ? "" : members.leaderId();
    rebalance.answerJoin(former, Rebalance.error(Errors.FENCED_INSTANCE_ID, former.memberId), out);
    rebalance.answerSync(former, Rebalance.syncError(Errors.FENCED_INSTANCE_ID), out);
    Member current =
        new Member(
            request.memberIdIfNew(),
            former.groupInstanceId,
            request.clientId(),
            request.clientHost(),
            request.rebalanceTimeoutMs(),
            request.data().sessionTimeoutMs(),
            protocols);
    current.assignment = former.assignment;
    current.joinRequestId = requestId;
    members.replace(former, current);
    rebalance.keepAlive(current, now);
    switch (rebalance.state()) {
      case STABLE -> {
        if (members.selectProtocol().equals(rebalance.protocol())) {
          keepAssignment(requestId, request, former, current, formerLeader, out);
        } else {
          rebalance.prepare(now, out);
        }
      }
      // The leader may be assigning to the former id at this moment.
      case COMPLETING_REBALANCE -> rebalance.prepare(now, out);
      case PREPARING_REBALANCE -> rebalance.maybeComplete(now, out);
      case EMPTY, DEAD ->
          throw new IllegalStateException("a group without members has " + former.memberId);
    }
  }

  private void keepAssignment(
      long requestId,
      Join request,
      Member former,
      Member current,
      String formerLeader,
      Effects out) {
    Map<String, byte[]> assignments = HashMap.newHashMap(members.size());
    for (Member member : members.all()) {
      assignments.put(member.memberId, member.assignment);
    }
    appends.begin(
        out,
        new PendingAppend.StaticMemberReturned(
            List.of(rebalance.snapshot(assignments)),
            rebalance.generation(),
            former,
            current,
            formerLeader,
            request,
            requestId));
  }

  /** The write of a returned static member is done, or failed and is undone. */
  void staticMemberReturned(
      PendingAppend.StaticMemberReturned append, Errors error, Moment now, Effects out) {
    Member current = append.current();
    boolean overtaken =
        rebalance.state() != GroupState.STABLE
            || rebalance.generation() != append.generation()
            || members.find(current.memberId) != current
            || current.joinRequestId != append.requestId();
    if (overtaken) {
      return; // A rebalance or a newer incarnation answered it, or will.
    }
    if (error != Errors.NONE) {
      rebalance.answerJoin(
          current,
          append.request().refusal(Appends.toClient(error), Membership.UNKNOWN_MEMBER_ID),
          out);
      members.replace(current, append.former());
      rebalance.keepAlive(append.former(), now);
      return;
    }
    JoinGroupResponseData response = rebalance.generationAsSeenBy(current);
    if (append.request().supportsSkippingAssignment()) {
      response.setSkipAssignment(members.isLeader(current.memberId));
    } else {
      // An older client must not take itself for the leader: it would compute an assignment that
      // nobody waits for. The former leader's id keeps it a follower.
      response.setLeader(append.formerLeader()).setMembers(List.of());
    }
    rebalance.answerJoin(current, response, out);
    rebalance.keepAlive(current, now);
  }

  private static List<Member.Protocol> protocols(Join request) {
    Map<String, Member.Protocol> byName = new LinkedHashMap<>();
    for (JoinGroupRequestProtocol offered : request.data().protocols()) {
      byName.putIfAbsent(offered.name(), new Member.Protocol(offered.name(), offered.metadata()));
    }
    return List.copyOf(new ArrayList<>(byName.values()));
  }
}
