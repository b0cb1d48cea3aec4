package io.milena.group;

import io.milena.group.GroupRequest.CommitOffsets;
import io.milena.group.GroupRequest.Delete;
import io.milena.group.GroupRequest.DeleteOffsets;
import io.milena.group.GroupRequest.Describe;
import io.milena.group.GroupRequest.FetchOffsets;
import io.milena.group.GroupRequest.Heartbeat;
import io.milena.group.GroupRequest.Join;
import io.milena.group.GroupRequest.Leave;
import io.milena.group.GroupRequest.Sync;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroupMember;
import org.apache.kafka.common.message.ListGroupsResponseData.ListedGroup;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * A consumer group of the classic protocol, and the offsets it committed: a deterministic machine
 * without IO, clock or thread. For one caller at a time.
 *
 * <p>Its life: {@link #replay} each of its stored records in the order of the log, once {@link
 * #resume}, then any number of {@link #handle}, {@link #onTimer}, {@link #appended} and the rest.
 * Each returns {@link Effects}. What the group remembers (committed offsets, stored generations)
 * changes by {@link #replay} alone, which {@link #appended} calls for records of its own.
 * Everything else (who is alive, who waits) is gone with the coordinator, as the protocol allows:
 * members join again.
 */
public final class ClassicGroup {

  /** As ListGroups calls groups of this protocol (KIP-848). */
  public static final String TYPE = "classic";

  private final String groupId;
  private final Membership members = new Membership();
  private final Appends appends = new Appends();
  private final Rebalance rebalance;
  private final JoinRules joins;
  private final MemberRules memberRules;
  private final OffsetRules offsets;

  /** The newest stored generation, null when there is none: then no tombstone is needed either. */
  private @Nullable GroupMetadata stored;

  public ClassicGroup(String groupId, GroupConfig config) {
    this.groupId = groupId;
    rebalance = new Rebalance(groupId, config, members, appends);
    joins = new JoinRules(config, members, rebalance, appends);
    memberRules = new MemberRules(members, rebalance, appends);
    offsets = new OffsetRules(groupId, config, members, rebalance, appends);
  }

  public String groupId() {
    return groupId;
  }

  public GroupState state() {
    return rebalance.state();
  }

  /** Version of the membership, from 0. */
  public int generation() {
    return rebalance.generation();
  }

  /** False for a group that nobody joined and that has nothing stored: it need not be kept. */
  public boolean exists() {
    return stored != null
        || !offsets.table().isEmpty()
        || !members.isEmpty()
        || !members.pending().isEmpty()
        || rebalance.generation() > 0
        || !appends.isEmpty();
  }

  /** Whether members were stored with the newest generation: they may still be alive. */
  public boolean hasStoredMembers() {
    GroupMetadata newest = stored;
    return newest != null && !newest.members().isEmpty();
  }

  /** True while the group is being deleted, and once it is stopped. */
  public boolean isDead() {
    return rebalance.state() == GroupState.DEAD;
  }

  /** True when nothing waits and nothing can happen by itself: the group needs no actor. */
  public boolean isDormant() {
    return (rebalance.state() == GroupState.EMPTY || rebalance.state() == GroupState.DEAD)
        && members.isEmpty()
        && members.pending().isEmpty()
        && appends.isEmpty();
  }

  /** Monotonic time at which to call {@link #onTimer}; {@link Long#MAX_VALUE} for never. */
  public long wakeAtMs() {
    return rebalance.wakeAtMs();
  }

  /** How many writes are under way. */
  public int appendsUnderWay() {
    return appends.count();
  }

  // ---- records

  /** Takes a record of the log in. The only thing that changes what the group remembers. */
  public void replay(GroupRecord record) {
    switch (record) {
      case GroupRecord.OffsetStored it -> offsets.table().put(it.partition(), it.offset());
      case GroupRecord.OffsetForgotten it -> offsets.table().remove(it.partition());
      case GroupRecord.GenerationStored it -> stored = it.metadata();
      case GroupRecord.GroupForgotten _ -> stored = null;
      case GroupRecord.Unknown _ -> {}
    }
  }

  /** Begins to coordinate, after the last stored record was replayed: sessions start anew. */
  public Effects resume(Moment now) {
    Effects out = new Effects();
    if (stored != null) {
      rebalance.restore(stored, now, out);
    }
    return out;
  }

  /**
   * Reports what became of a write.
   *
   * @param error NONE, or why it failed
   */
  public Effects appended(long appendId, Errors error, Moment now) {
    Effects out = new Effects();
    PendingAppend append = appends.end(appendId);
    if (Appends.isInLog(error)) {
      append.records().forEach(this::replay);
    }
    switch (append) {
      case PendingAppend.Answer it ->
          out.reply(
              it.requestId(), error == Errors.NONE ? it.ifWritten() : it.ifFailed().apply(error));
      case PendingAppend.Assignment it -> memberRules.assignmentStored(it, error, now, out);
      case PendingAppend.StaticMemberReturned it -> joins.staticMemberReturned(it, error, now, out);
      case PendingAppend.Deletion it -> {
        if (Appends.isInLog(error)) {
          rebalance.beginAnew();
        } else {
          rebalance.reviveAsEmpty();
        }
        out.reply(it.requestId(), it.request().refusal(Appends.toClient(error)));
      }
      case PendingAppend.Bookkeeping _ -> {}
    }
    return out;
  }

  // ---- requests

  /**
   * Serves a request.
   *
   * @param requestId names the request in {@link Effects#replies()}: 0 or more, unique among those
   *     not yet answered
   */
  public Effects handle(long requestId, GroupRequest<?> request, Moment now) {
    Effects out = new Effects();
    switch (request) {
      case Heartbeat it -> out.reply(requestId, it.refusal(memberRules.heartbeat(it, now)));
      case CommitOffsets it -> offsets.commit(requestId, it, exists(), now, out);
      case FetchOffsets it -> offsets.fetch(requestId, it, out);
      case Join it -> joins.join(requestId, it, now, out);
      case Sync it -> memberRules.sync(requestId, it, now, out);
      case Leave it -> memberRules.leave(requestId, it, now, out);
      case DeleteOffsets it -> offsets.delete(requestId, it, exists(), out);
      case Describe it -> out.reply(requestId, describe(it));
      case Delete it -> delete(requestId, it, out);
    }
    return out;
  }

  private void delete(long requestId, Delete request, Effects out) {
    if (!exists() || rebalance.state() == GroupState.DEAD) {
      out.reply(requestId, request.refusal(Errors.GROUP_ID_NOT_FOUND));
    } else if (rebalance.state() != GroupState.EMPTY) {
      out.reply(requestId, request.refusal(Errors.NON_EMPTY_GROUP));
    } else {
      bury(requestId, request, offsets.forgetAll(), out);
    }
  }

  private void bury(long requestId, Delete request, List<GroupRecord> records, Effects out) {
    records.add(new GroupRecord.GroupForgotten(groupId));
    members.pending().clear();
    rebalance.toDead();
    appends.begin(out, new PendingAppend.Deletion(List.copyOf(records), requestId, request));
  }

  private DescribedGroup describe(Describe request) {
    if (!exists() || rebalance.state() == GroupState.DEAD) {
      return request.notFound();
    }
    boolean stable = rebalance.state() == GroupState.STABLE;
    String protocol = rebalance.protocol();
    List<DescribedGroupMember> described = new ArrayList<>(members.size());
    for (Member member : members.all()) {
      described.add(
          new DescribedGroupMember()
              .setMemberId(member.memberId)
              .setGroupInstanceId(member.groupInstanceId)
              .setClientId(member.clientId)
              .setClientHost(member.clientHost)
              .setMemberMetadata(stable ? member.metadataOf(protocol) : Member.NO_BYTES)
              .setMemberAssignment(stable ? member.assignment : Member.NO_BYTES));
    }
    return new DescribedGroup()
        .setGroupId(groupId)
        .setGroupState(rebalance.state().protocolName())
        .setProtocolType(members.protocolType() == null ? "" : members.protocolType())
        .setProtocolData(stable && protocol != null ? protocol : "")
        .setMembers(described);
  }

  /** The group's line of ListGroups; empty when there is no group. */
  public Optional<ListedGroup> listed() {
    if (!exists() || rebalance.state() == GroupState.DEAD) {
      return Optional.empty();
    }
    return Optional.of(
        new ListedGroup()
            .setGroupId(groupId)
            .setProtocolType(members.protocolType() == null ? "" : members.protocolType())
            .setGroupState(rebalance.state().protocolName())
            .setGroupType(TYPE));
  }

  // ---- what happens without a request

  /** Does what is due: rebalances whose time is up, sessions that expired. Early calls are fine. */
  public Effects onTimer(Moment now) {
    Effects out = new Effects();
    rebalance.onTimer(now, out);
    return out;
  }

  /** Forgets offsets whose retention is over, and a group without members that has none left. */
  public Effects expireOffsets(Moment now) {
    Effects out = new Effects();
    if (rebalance.state() != GroupState.DEAD) {
      forget(offsets.expired(now.wallClockMs()), true, out);
    }
    return out;
  }

  /** Forgets the offsets of topics that were deleted. */
  public Effects forgetTopics(Set<String> topics) {
    Effects out = new Effects();
    if (rebalance.state() != GroupState.DEAD) {
      forget(offsets.forgetTopics(topics), false, out);
    }
    return out;
  }

  /** Whether {@link #expireOffsets} would do something. */
  public boolean hasSomethingToExpire(Moment now) {
    return rebalance.state() != GroupState.DEAD
        && ((exists() && isDormant() && offsets.table().isEmpty())
            || !offsets.expired(now.wallClockMs()).isEmpty());
  }

  /** Whether {@link #forgetTopics} would do something. */
  public boolean hasOffsetsOf(Set<String> topics) {
    return !offsets.forgetTopics(topics).isEmpty();
  }

  private void forget(List<GroupRecord> records, boolean thenGroup, Effects out) {
    boolean all = exists() && isDormant() && records.size() == offsets.forgetAll().size();
    if (thenGroup && all) {
      bury(Member.NOBODY, new Delete(groupId), records, out);
    } else if (!records.isEmpty()) {
      appends.begin(out, new PendingAppend.Bookkeeping(List.copyOf(records)));
    }
  }

  /**
   * This node coordinates the group no longer: everyone who waits is sent to the new coordinator.
   * Requests whose writes are under way are answered by {@link #appended}.
   */
  public Effects stop() {
    Effects out = new Effects();
    for (Member member : List.copyOf(members.all())) {
      rebalance.answerJoin(member, Rebalance.error(Errors.NOT_COORDINATOR, member.memberId), out);
      rebalance.answerSync(member, Rebalance.syncError(Errors.NOT_COORDINATOR), out);
    }
    rebalance.stop();
    return out;
  }

  /** What must hold between any two calls; for tests. */
  void checkInvariants() {
    members.checkInvariants();
    boolean empty = rebalance.state() == GroupState.EMPTY;
    if (empty && !members.isEmpty()) {
      throw new IllegalStateException("an empty group has members");
    }
    if (rebalance.state() == GroupState.STABLE && members.isEmpty()) {
      throw new IllegalStateException("a stable group has no members");
    }
  }
}
