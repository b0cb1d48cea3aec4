package io.milena.wire.handler;

import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** What is checked of a group request before a group is asked. */
final class GroupChecks {

  /** In place of the authorized operations, when they were not asked for. */
  static final int NO_OPERATIONS = Integer.MIN_VALUE;

  /**
   * READ (3), DELETE (6), DESCRIBE (8), DESCRIBE_CONFIGS (10) and ALTER_CONFIGS (11) as a bit set:
   * all that can be done to a group (KIP-430), which is what anybody may do without an authorizer.
   */
  static final int ALL_GROUP_OPERATIONS = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;

  private GroupChecks() {}

  /** INVALID_GROUP_ID for an empty group id, which has been refused since members have groups. */
  static Errors validate(@Nullable String groupId, @Nullable String groupInstanceId) {
    if (groupId == null || groupId.isEmpty()) {
      return Errors.INVALID_GROUP_ID;
    }
    return groupInstanceId == null || isValidInstanceId(groupInstanceId)
        ? Errors.NONE
        : Errors.INVALID_REQUEST;
  }

  /** An instance id obeys the rules of a topic name (KIP-345). */
  private static boolean isValidInstanceId(String groupInstanceId) {
    try {
      Topic.validate(groupInstanceId);
      return true;
    } catch (InvalidTopicException refused) {
      return false;
    }
  }
}
