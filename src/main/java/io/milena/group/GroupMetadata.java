package io.milena.group;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A generation of a group as it is stored: what a coordinator needs to go on where another one
 * stopped.
 *
 * @param protocolType {@code consumer}, {@code connect}, ... or empty for a group without members
 *     so far
 * @param generation version of the membership, from 0
 * @param protocol the assignor the members agreed on, null while there are none
 * @param leader member id of the leader, null while there is none
 * @param stateTimestampMs wall clock of the last change of state, -1 when not known
 * @param members in the order they joined
 */
public record GroupMetadata(
    String protocolType,
    int generation,
    @Nullable String protocol,
    @Nullable String leader,
    long stateTimestampMs,
    List<StoredMember> members) {

  public GroupMetadata {
    members = List.copyOf(members);
  }

  /**
   * A member of a stored generation.
   *
   * @param subscription its metadata for the chosen protocol; not to be changed
   * @param assignment what the leader gave it; not to be changed
   */
  @SuppressWarnings("ArrayRecordComponent") // bytes of a client, passed on and never compared
  public record StoredMember(
      String memberId,
      @Nullable String groupInstanceId,
      String clientId,
      String clientHost,
      int rebalanceTimeoutMs,
      int sessionTimeoutMs,
      byte[] subscription,
      byte[] assignment) {}
}
