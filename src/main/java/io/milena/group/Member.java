package io.milena.group;

import io.milena.group.GroupMetadata.StoredMember;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A member of a group while the group is being coordinated here. */
final class Member {

  /** In place of a request id: nobody waits. */
  static final long NOBODY = -1;

  /** In place of a deadline: the member cannot expire now. */
  static final long NEVER = Long.MAX_VALUE;

  static final byte[] NO_BYTES = {};

  final String memberId;
  final @Nullable String groupInstanceId;
  final String clientId;
  final String clientHost;
  int rebalanceTimeoutMs;
  int sessionTimeoutMs;
  List<Protocol> protocols;
  byte[] assignment = NO_BYTES;

  /** The JoinGroup this member is parked in, or {@link #NOBODY}. */
  long joinRequestId = NOBODY;

  /** The SyncGroup this member is parked in, or {@link #NOBODY}. */
  long syncRequestId = NOBODY;

  /** True until its first generation begins: it cannot send heartbeats before it knows its id. */
  boolean isNew;

  /** Monotonic time at which it is taken for gone unless heard of. */
  long sessionDeadlineMs = NEVER;

  /**
   * What a member offers for one protocol.
   *
   * @param metadata the client's subscription; not to be changed
   */
  @SuppressWarnings("ArrayRecordComponent") // bytes of a client; compared by sameAs only
  record Protocol(String name, byte[] metadata) {
    boolean sameAs(Protocol other) {
      return name.equals(other.name) && Arrays.equals(metadata, other.metadata);
    }
  }

  Member(
      String memberId,
      @Nullable String groupInstanceId,
      String clientId,
      String clientHost,
      int rebalanceTimeoutMs,
      int sessionTimeoutMs,
      List<Protocol> protocols) {
    this.memberId = memberId;
    this.groupInstanceId = groupInstanceId;
    this.clientId = clientId;
    this.clientHost = clientHost;
    this.rebalanceTimeoutMs = rebalanceTimeoutMs;
    this.sessionTimeoutMs = sessionTimeoutMs;
    this.protocols = protocols;
  }

  static Member fromStored(StoredMember stored, String protocol) {
    Member member =
        new Member(
            stored.memberId(),
            stored.groupInstanceId(),
            stored.clientId(),
            stored.clientHost(),
            stored.rebalanceTimeoutMs(),
            stored.sessionTimeoutMs(),
            List.of(new Protocol(protocol, stored.subscription())));
    member.assignment = stored.assignment();
    return member;
  }

  StoredMember toStored(@Nullable String protocol, byte[] storedAssignment) {
    return new StoredMember(
        memberId,
        groupInstanceId,
        clientId,
        clientHost,
        rebalanceTimeoutMs,
        sessionTimeoutMs,
        metadataOf(protocol),
        storedAssignment);
  }

  boolean isStatic() {
    return groupInstanceId != null;
  }

  boolean isAwaitingJoin() {
    return joinRequestId != NOBODY;
  }

  boolean isAwaitingSync() {
    return syncRequestId != NOBODY;
  }

  /** A parked request is a sign of life, but for a new member's: its client may be long gone. */
  boolean isExpired(long nowMs) {
    return nowMs >= sessionDeadlineMs && (isNew || !(isAwaitingJoin() || isAwaitingSync()));
  }

  boolean offersExactly(List<Protocol> others) {
    if (protocols.size() != others.size()) {
      return false;
    }
    for (int i = 0; i < others.size(); i++) {
      if (!protocols.get(i).sameAs(others.get(i))) {
        return false;
      }
    }
    return true;
  }

  boolean offers(String protocol) {
    return protocols.stream().anyMatch(offered -> offered.name().equals(protocol));
  }

  byte[] metadataOf(@Nullable String protocol) {
    for (Protocol offered : protocols) {
      if (offered.name().equals(protocol)) {
        return offered.metadata();
      }
    }
    return NO_BYTES;
  }

  /** The first of the candidates in this member's own order of preference. */
  @Nullable String vote(java.util.Set<String> candidates) {
    for (Protocol offered : protocols) {
      if (candidates.contains(offered.name())) {
        return offered.name();
      }
    }
    return null;
  }
}
