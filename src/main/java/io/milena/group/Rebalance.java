package io.milena.group;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.JoinGroupResponseData.JoinGroupResponseMember;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * The state machine of a classic group: who is waited for, until when, and what a new generation
 * is. The only place that changes state and generation.
 *
 * <pre>
 * EMPTY ──join──▶ PREPARING_REBALANCE ──all joined, or time is up──▶ COMPLETING_REBALANCE
 *   ▲                ▲     │                                           │  leader's assignment
 *   └──no members────┼─────┘                                           ▼  is stored
 *                    └────────join, leave, session expired───────── STABLE
 * </pre>
 */
final class Rebalance {

  private final String groupId;
  private final GroupConfig config;
  private final Membership members;
  private final Appends appends;

  private GroupState state = GroupState.EMPTY;
  private GroupState previousState = GroupState.EMPTY;
  private int generation;
  private @Nullable String protocol;
  private long stateTimestampMs = -1;
  private Optional<Set<String>> subscribedTopics = Optional.empty();

  private boolean stopped;

  private long joinDeadlineMs = Member.NEVER;

  /** What may still be added to the delay of the first rebalance, 0 in any other. */
  private int initialRemainingMs;

  private boolean newMemberAdded;
  private final Set<String> awaitedSync = new LinkedHashSet<>();
  private long syncDeadlineMs = Member.NEVER;

  /** Invariant: at or before every deadline of the group. */
  private long wakeAtMs = Member.NEVER;

  Rebalance(String groupId, GroupConfig config, Membership members, Appends appends) {
    this.groupId = groupId;
    this.config = config;
    this.members = members;
    this.appends = appends;
  }

  GroupState state() {
    return state;
  }

  int generation() {
    return generation;
  }

  @Nullable String protocol() {
    return protocol;
  }

  long stateTimestampMs() {
    return stateTimestampMs;
  }

  Optional<Set<String>> subscribedTopics() {
    return subscribedTopics;
  }

  long wakeAtMs() {
    return wakeAtMs;
  }

  /** Takes over a stored generation, in a group just loaded. */
  void restore(GroupMetadata stored, Moment now, Effects out) {
    generation = stored.generation();
    protocol = stored.protocol();
    stateTimestampMs = stored.stateTimestampMs();
    String storedProtocol = stored.protocol() == null ? "" : stored.protocol();
    for (GroupMetadata.StoredMember storedMember : stored.members()) {
      Member member = Member.fromStored(storedMember, storedProtocol);
      members.add(member, stored.protocolType());
      keepAlive(member, now);
    }
    String leader = stored.leader();
    members.restore(
        stored.protocolType().isEmpty() ? null : stored.protocolType(),
        leader != null && members.find(leader) != null ? leader : members.leaderId());
    subscribedTopics = members.subscribedTopics(protocol);
    state = members.isEmpty() ? GroupState.EMPTY : GroupState.STABLE;
    if (members.size() > config.maxSize()) {
      prepare(now, out);
    }
  }

  void toDead() {
    previousState = state;
    state = GroupState.DEAD;
    joinDeadlineMs = Member.NEVER;
    syncDeadlineMs = Member.NEVER;
    wakeAtMs = Member.NEVER;
  }

  /** A deletion could not be stored: the group is there still. */
  void reviveAsEmpty() {
    if (!stopped) {
      state = GroupState.EMPTY;
    }
  }

  /** A deletion is stored: from here on a group of this name is a new one. */
  void beginAnew() {
    reviveAsEmpty();
    previousState = GroupState.EMPTY;
    generation = 0;
    protocol = null;
    stateTimestampMs = -1;
    subscribedTopics = Optional.empty();
    members.restore(null, null);
  }

  /** The group is not coordinated here any more, for good. */
  void stop() {
    stopped = true;
    toDead();
  }

  private void moveTo(GroupState next, Moment now) {
    previousState = state;
    state = next;
    stateTimestampMs = now.wallClockMs();
  }

  // ---- sessions

  /** Starts a member's session anew. */
  void keepAlive(Member member, Moment now) {
    keepAlive(member, now, member.sessionTimeoutMs);
  }

  void keepAlive(Member member, Moment now, int timeoutMs) {
    member.sessionDeadlineMs = now.monotonicMs() + timeoutMs;
    wakeBy(member.sessionDeadlineMs);
  }

  void addPending(String memberId, int sessionTimeoutMs, Moment now) {
    long deadlineMs = now.monotonicMs() + sessionTimeoutMs;
    members.pending().put(memberId, deadlineMs);
    wakeBy(deadlineMs);
  }

  private void wakeBy(long deadlineMs) {
    wakeAtMs = Math.min(wakeAtMs, deadlineMs);
  }

  /** Does what is due. To be called at {@link #wakeAtMs()} or later; too early does no harm. */
  void onTimer(Moment now, Effects out) {
    if (state == GroupState.DEAD) {
      return;
    }
    if (joinDeadlineMs <= now.monotonicMs()) {
      onJoinDeadline(now, out);
    }
    if (syncDeadlineMs <= now.monotonicMs()) {
      onSyncDeadline(now, out);
    }
    expireSessions(now, out);
    wakeAtMs = Math.min(joinDeadlineMs, syncDeadlineMs);
    members.pending().values().forEach(this::wakeBy);
    for (Member member : members.all()) {
      wakeBy(member.sessionDeadlineMs);
    }
  }

  private void expireSessions(Moment now, Effects out) {
    boolean pendingExpired =
        members.pending().values().removeIf(deadlineMs -> deadlineMs <= now.monotonicMs());
    List<Member> expired = new ArrayList<>();
    for (Member member : members.all()) {
      if (member.isExpired(now.monotonicMs())) {
        expired.add(member);
      } else if (member.sessionDeadlineMs <= now.monotonicMs()) {
        // Parked, so alive; its session starts anew when the parked request is answered.
        member.sessionDeadlineMs = Member.NEVER;
      }
    }
    for (Member member : expired) {
      remove(member, out);
    }
    if (pendingExpired || !expired.isEmpty()) {
      afterRemoval(!expired.isEmpty(), now, out);
    }
  }

  /** Takes a member out and tells it so, should it wait for an answer. */
  void remove(Member member, Effects out) {
    answerJoin(member, error(Errors.UNKNOWN_MEMBER_ID, Membership.UNKNOWN_MEMBER_ID), out);
    answerSync(member, syncError(Errors.UNKNOWN_MEMBER_ID), out);
    members.remove(member);
    syncArrived(member.memberId);
  }

  /** Goes on after members (or only pending ones) went. */
  void afterRemoval(boolean membersWent, Moment now, Effects out) {
    switch (state) {
      case STABLE, COMPLETING_REBALANCE -> {
        if (membersWent) {
          prepare(now, out);
        }
      }
      case PREPARING_REBALANCE -> maybeComplete(now, out);
      case EMPTY, DEAD -> {}
    }
  }

  // ---- joining

  /** A member was added or changed: begins a rebalance, or finishes the one there is. */
  void prepareOrComplete(Moment now, Effects out) {
    switch (state) {
      case EMPTY, STABLE, COMPLETING_REBALANCE -> prepare(now, out);
      case PREPARING_REBALANCE -> maybeComplete(now, out);
      case DEAD -> {}
    }
  }

  /** Says that the first rebalance may wait for yet more members. */
  void noteNewMember() {
    if (state == GroupState.PREPARING_REBALANCE && previousState == GroupState.EMPTY) {
      newMemberAdded = true;
    }
  }

  /** Begins a rebalance: everyone has to join again. */
  void prepare(Moment now, Effects out) {
    if (state == GroupState.COMPLETING_REBALANCE) {
      resetAssignments(Errors.REBALANCE_IN_PROGRESS, now, out);
    }
    stopAwaitingSync();
    boolean initial = state == GroupState.EMPTY;
    moveTo(GroupState.PREPARING_REBALANCE, now);
    if (initial) {
      newMemberAdded = false;
      int delayMs = config.initialRebalanceDelayMs();
      initialRemainingMs = Math.max(members.rebalanceTimeoutMs() - delayMs, 0);
      joinBy(now.monotonicMs() + delayMs);
    } else if (members.allJoined()) {
      complete(now, out);
    } else {
      joinBy(now.monotonicMs() + members.rebalanceTimeoutMs());
    }
  }

  private void joinBy(long deadlineMs) {
    joinDeadlineMs = deadlineMs;
    wakeBy(deadlineMs);
  }

  private void onJoinDeadline(Moment now, Effects out) {
    if (previousState == GroupState.EMPTY && newMemberAdded && initialRemainingMs > 0) {
      newMemberAdded = false;
      int delayMs = Math.min(config.initialRebalanceDelayMs(), initialRemainingMs);
      initialRemainingMs = Math.max(initialRemainingMs - delayMs, 0);
      joinBy(now.monotonicMs() + delayMs);
    } else {
      complete(now, out);
    }
  }

  /** The first rebalance of a group waits out its delay; any other ends when all have joined. */
  void maybeComplete(Moment now, Effects out) {
    if (state == GroupState.PREPARING_REBALANCE
        && previousState != GroupState.EMPTY
        && members.allJoined()) {
      complete(now, out);
    }
  }

  private void complete(Moment now, Effects out) {
    joinDeadlineMs = Member.NEVER;
    List<Member> missing =
        members.all().stream()
            .filter(member -> !member.isAwaitingJoin() && !member.isStatic())
            .toList();
    for (Member member : missing) {
      remove(member, out);
    }
    if (!members.isEmpty() && !members.electJoinedLeader()) {
      // Only static members, none of which has joined: their sessions decide.
      joinBy(now.monotonicMs() + members.rebalanceTimeoutMs());
      return;
    }
    generation++;
    if (members.isEmpty()) {
      protocol = null;
      subscribedTopics = members.subscribedTopics(null);
      moveTo(GroupState.EMPTY, now);
      appends.begin(out, new PendingAppend.Bookkeeping(List.of(snapshot(Map.of()))));
      return;
    }
    protocol = members.selectProtocol();
    subscribedTopics = members.subscribedTopics(protocol);
    moveTo(GroupState.COMPLETING_REBALANCE, now);
    for (Member member : members.all()) {
      awaitedSync.add(member.memberId);
      answerJoin(member, generationAsSeenBy(member), out);
      member.isNew = false;
      keepAlive(member, now);
    }
    syncDeadlineMs = now.monotonicMs() + members.rebalanceTimeoutMs();
    wakeBy(syncDeadlineMs);
  }

  /** What a member that joined learns of the generation; the leader learns of everyone. */
  JoinGroupResponseData generationAsSeenBy(Member member) {
    JoinGroupResponseData response =
        new JoinGroupResponseData()
            .setMemberId(member.memberId)
            .setGenerationId(generation)
            .setProtocolType(members.protocolType())
            .setProtocolName(protocol)
            .setLeader(members.leaderId() == null ? "" : members.leaderId());
    if (members.isLeader(member.memberId)) {
      List<JoinGroupResponseMember> everyone = new ArrayList<>(members.size());
      for (Member other : members.all()) {
        everyone.add(
            new JoinGroupResponseMember()
                .setMemberId(other.memberId)
                .setGroupInstanceId(other.groupInstanceId)
                .setMetadata(other.metadataOf(protocol)));
      }
      response.setMembers(everyone);
    }
    return response;
  }

  // ---- assignments

  /** A member need not be waited for any more in this generation. */
  void syncArrived(String memberId) {
    awaitedSync.remove(memberId);
    if (awaitedSync.isEmpty()) {
      syncDeadlineMs = Member.NEVER;
    }
  }

  private void stopAwaitingSync() {
    awaitedSync.clear();
    syncDeadlineMs = Member.NEVER;
  }

  private void onSyncDeadline(Moment now, Effects out) {
    syncDeadlineMs = Member.NEVER;
    List<String> silent = List.copyOf(awaitedSync);
    for (String memberId : silent) {
      Member member = members.find(memberId);
      if (member != null) {
        remove(member, out);
      }
    }
    awaitedSync.clear();
    if (!silent.isEmpty()) {
      prepare(now, out);
    }
  }

  /** Gives everyone the stored assignment. */
  void settle(Map<String, byte[]> assignments, Moment now, Effects out) {
    for (Member member : members.all()) {
      member.assignment = assignments.getOrDefault(member.memberId, Member.NO_BYTES);
      if (answerSync(member, assignmentOf(member), out)) {
        keepAlive(member, now);
      }
    }
    moveTo(GroupState.STABLE, now);
  }

  /** Takes all assignments back and sends parked members away with an error. */
  void resetAssignments(Errors error, Moment now, Effects out) {
    for (Member member : members.all()) {
      member.assignment = Member.NO_BYTES;
      if (answerSync(member, syncError(error), out)) {
        keepAlive(member, now);
      }
    }
  }

  SyncGroupResponseData assignmentOf(Member member) {
    return new SyncGroupResponseData()
        .setProtocolType(members.protocolType())
        .setProtocolName(protocol)
        .setAssignment(member.assignment);
  }

  /** The current generation as a record. */
  GroupRecord snapshot(Map<String, byte[]> assignments) {
    List<GroupMetadata.StoredMember> stored = new ArrayList<>(members.size());
    for (Member member : members.all()) {
      stored.add(
          member.toStored(protocol, assignments.getOrDefault(member.memberId, Member.NO_BYTES)));
    }
    String type = members.protocolType();
    return new GroupRecord.GenerationStored(
        groupId,
        new GroupMetadata(
            type == null ? "" : type,
            generation,
            protocol,
            members.leaderId(),
            stateTimestampMs,
            stored));
  }

  // ---- parked requests

  void answerJoin(Member member, JoinGroupResponseData response, Effects out) {
    out.reply(members.takeJoinRequest(member), response);
  }

  boolean answerSync(Member member, SyncGroupResponseData response, Effects out) {
    boolean waited = member.isAwaitingSync();
    out.reply(member.syncRequestId, response);
    member.syncRequestId = Member.NOBODY;
    return waited;
  }

  static JoinGroupResponseData error(Errors error, String memberId) {
    return new JoinGroupResponseData()
        .setErrorCode(error.code())
        .setMemberId(memberId)
        .setGenerationId(-1)
        .setProtocolName("")
        .setLeader("");
  }

  static SyncGroupResponseData syncError(Errors error) {
    return new SyncGroupResponseData().setErrorCode(error.code());
  }
}
