package io.milena.group;

import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * Who belongs to a group: members, the ids given out to members still to join, the leader, and
 * which protocols all of them offer. Knows nothing of states and timers.
 */
final class Membership {

  static final String CONSUMER_PROTOCOL_TYPE = "consumer";
  static final String UNKNOWN_MEMBER_ID = "";

  private final Map<String, Member> members = new LinkedHashMap<>();
  private final Map<String, String> memberIdByInstanceId = new HashMap<>();

  /** Ids handed out with MEMBER_ID_REQUIRED, with the monotonic time until which they are good. */
  private final Map<String, Long> pendingDeadlineMs = new LinkedHashMap<>();

  private final Map<String, Integer> offeredBy = new HashMap<>();
  private int awaitingJoinCount;
  private @Nullable String leaderId;
  private @Nullable String protocolType;

  Collection<Member> all() {
    return members.values();
  }

  int size() {
    return members.size();
  }

  boolean isEmpty() {
    return members.isEmpty();
  }

  @Nullable Member find(String memberId) {
    return members.get(memberId);
  }

  @Nullable Member findStatic(String groupInstanceId) {
    String memberId = memberIdByInstanceId.get(groupInstanceId);
    return memberId == null ? null : members.get(memberId);
  }

  @Nullable String leaderId() {
    return leaderId;
  }

  boolean isLeader(String memberId) {
    return memberId.equals(leaderId);
  }

  @Nullable String protocolType() {
    return protocolType;
  }

  boolean isConsumerGroup() {
    return CONSUMER_PROTOCOL_TYPE.equals(protocolType);
  }

  /** Takes over what a stored generation says; for a group just loaded. */
  void restore(@Nullable String storedProtocolType, @Nullable String storedLeaderId) {
    protocolType = storedProtocolType;
    leaderId = storedLeaderId;
  }

  /** Adds a member that is not there yet; the first one leads. */
  void add(Member member, String memberProtocolType) {
    if (members.isEmpty()) {
      protocolType = memberProtocolType;
    }
    if (leaderId == null) {
      leaderId = member.memberId;
    }
    if (members.put(member.memberId, member) != null) {
      throw new IllegalStateException("member " + member.memberId + " is in the group already");
    }
    if (member.groupInstanceId != null) {
      memberIdByInstanceId.put(member.groupInstanceId, member.memberId);
    }
    count(member, 1);
    pendingDeadlineMs.remove(member.memberId);
  }

  /** Removes a member; the one that has been there longest leads if it led. */
  void remove(Member member) {
    if (members.remove(member.memberId) == null) {
      return;
    }
    count(member, -1);
    if (member.groupInstanceId != null) {
      memberIdByInstanceId.remove(member.groupInstanceId, member.memberId);
    }
    if (isLeader(member.memberId)) {
      leaderId = members.isEmpty() ? null : members.keySet().iterator().next();
    }
  }

  /** Puts a static member in the place of its former self, leadership included. */
  void replace(Member old, Member replacement) {
    boolean led = isLeader(old.memberId);
    members.remove(old.memberId);
    count(old, -1);
    members.put(replacement.memberId, replacement);
    count(replacement, 1);
    if (replacement.groupInstanceId != null) {
      memberIdByInstanceId.put(replacement.groupInstanceId, replacement.memberId);
    }
    if (led) {
      leaderId = replacement.memberId;
    }
  }

  /** Changes what a member offers and waits for. */
  void update(
      Member member,
      List<Member.Protocol> protocols,
      int rebalanceTimeoutMs,
      int sessionTimeoutMs,
      long joinRequestId) {
    count(member, -1);
    member.protocols = protocols;
    member.rebalanceTimeoutMs = rebalanceTimeoutMs;
    member.sessionTimeoutMs = sessionTimeoutMs;
    member.joinRequestId = joinRequestId;
    count(member, 1);
  }

  /** Takes a member's parked JoinGroup out of it, to be answered; NOBODY if it has none. */
  long takeJoinRequest(Member member) {
    long requestId = member.joinRequestId;
    if (requestId != Member.NOBODY && members.get(member.memberId) == member) {
      awaitingJoinCount--;
    }
    member.joinRequestId = Member.NOBODY;
    return requestId;
  }

  private void count(Member member, int sign) {
    for (Member.Protocol offered : member.protocols) {
      offeredBy.merge(offered.name(), sign, Integer::sum);
    }
    if (member.isAwaitingJoin()) {
      awaitingJoinCount += sign;
    }
  }

  int awaitingJoinCount() {
    return awaitingJoinCount;
  }

  boolean allJoined() {
    return awaitingJoinCount == members.size() && pendingDeadlineMs.isEmpty();
  }

  Map<String, Long> pending() {
    return pendingDeadlineMs;
  }

  /** Whether a member may join with these protocols: type equal, and one that all members offer. */
  boolean supports(@Nullable String type, List<Member.Protocol> protocols) {
    if (type == null || type.isEmpty() || protocols.isEmpty()) {
      return false;
    }
    return members.isEmpty()
        || (type.equals(protocolType)
            && protocols.stream()
                .anyMatch(offered -> offeredBy.getOrDefault(offered.name(), 0) == members.size()));
  }

  /** The protocol with the most votes among those that every member offers. */
  String selectProtocol() {
    Set<String> candidates = new HashSet<>();
    offeredBy.forEach((name, count) -> {
      if (count == members.size()) {
        candidates.add(name);
      }
    });
    Map<String, Integer> votes = new LinkedHashMap<>();
    for (Member member : members.values()) {
      String vote = member.vote(candidates);
      if (vote == null) {
        throw new IllegalStateException("member " + member.memberId + " offers no common protocol");
      }
      votes.merge(vote, 1, Integer::sum);
    }
    String chosen = "";
    int most = 0;
    for (Map.Entry<String, Integer> entry : votes.entrySet()) {
      if (entry.getValue() > most) {
        chosen = entry.getKey();
        most = entry.getValue();
      }
    }
    return chosen;
  }

  /**
   * Makes sure that the leader is a member that has joined.
   *
   * @return false when no member has
   */
  boolean electJoinedLeader() {
    if (leaderId == null) {
      return false;
    }
    Member leader = members.get(leaderId);
    if (leader != null && leader.isAwaitingJoin()) {
      return true;
    }
    for (Member member : members.values()) {
      if (member.isAwaitingJoin()) {
        leaderId = member.memberId;
        return true;
      }
    }
    return false;
  }

  /** Longest time any member asks for to rejoin; 0 for no members. */
  int rebalanceTimeoutMs() {
    int longest = 0;
    for (Member member : members.values()) {
      longest = Math.max(longest, member.rebalanceTimeoutMs);
    }
    return longest;
  }

  /** NONE, UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID for a static member replaced by another. */
  Errors validate(String memberId, @Nullable String groupInstanceId) {
    if (groupInstanceId != null) {
      String current = memberIdByInstanceId.get(groupInstanceId);
      if (current == null) {
        return Errors.UNKNOWN_MEMBER_ID;
      }
      if (!current.equals(memberId)) {
        return Errors.FENCED_INSTANCE_ID;
      }
    }
    return members.containsKey(memberId) ? Errors.NONE : Errors.UNKNOWN_MEMBER_ID;
  }

  /**
   * The topics that members subscribe to with the chosen protocol; empty when this is no consumer
   * group or a subscription cannot be read.
   */
  Optional<Set<String>> subscribedTopics(@Nullable String protocol) {
    if (!isConsumerGroup()) {
      return Optional.empty();
    }
    if (members.isEmpty()) {
      return Optional.of(Set.of());
    }
    if (protocol == null) {
      return Optional.empty();
    }
    Set<String> topics = new LinkedHashSet<>();
    try {
      for (Member member : members.values()) {
        ByteBuffer metadata = ByteBuffer.wrap(member.metadataOf(protocol));
        ConsumerProtocol.deserializeVersion(metadata);
        metadata.rewind();
        topics.addAll(ConsumerProtocol.deserializeSubscription(metadata).topics());
      }
      return Optional.of(topics);
    } catch (RuntimeException unreadable) {
      return Optional.empty();
    }
  }

  /** What must hold after every step; for tests. */
  void checkInvariants() {
    long awaiting = members.values().stream().filter(Member::isAwaitingJoin).count();
    if (awaiting != awaitingJoinCount) {
      throw new IllegalStateException(
          "counted " + awaitingJoinCount + " joins, there are " + awaiting);
    }
    if (!members.isEmpty() && (leaderId == null || !members.containsKey(leaderId))) {
      throw new IllegalStateException("leader " + leaderId + " is not a member");
    }
    memberIdByInstanceId.forEach((instanceId, memberId) -> {
      Member member = members.get(memberId);
      if (member == null || !instanceId.equals(member.groupInstanceId)) {
        throw new IllegalStateException("instance " + instanceId + " names " + memberId);
      }
    });
    for (String pendingId : pendingDeadlineMs.keySet()) {
      if (members.containsKey(pendingId)) {
        throw new IllegalStateException("member " + pendingId + " is pending too");
      }
    }
  }
}
