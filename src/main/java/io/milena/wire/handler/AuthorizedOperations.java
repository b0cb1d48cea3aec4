package io.milena.wire.handler;

import org.apache.kafka.common.acl.AclOperation;

/**
 * The bit fields of what a client may do (KIP-430). Without an authorizer that is every operation
 * the kind of resource has.
 */
final class AuthorizedOperations {

  /** The field's value when the client did not ask for it. */
  static final int NOT_ASKED = Integer.MIN_VALUE;

  /** Everything that can be done to a topic. */
  static final int ON_TOPIC =
      bits(
          AclOperation.READ,
          AclOperation.WRITE,
          AclOperation.CREATE,
          AclOperation.DELETE,
          AclOperation.ALTER,
          AclOperation.DESCRIBE,
          AclOperation.DESCRIBE_CONFIGS,
          AclOperation.ALTER_CONFIGS);

  /** Everything that can be done to the cluster. */
  static final int ON_CLUSTER =
      bits(
          AclOperation.CREATE,
          AclOperation.ALTER,
          AclOperation.DESCRIBE,
          AclOperation.CLUSTER_ACTION,
          AclOperation.DESCRIBE_CONFIGS,
          AclOperation.ALTER_CONFIGS,
          AclOperation.IDEMPOTENT_WRITE);

  private AuthorizedOperations() {}

  private static int bits(AclOperation... operations) {
    int bits = 0;
    for (AclOperation operation : operations) {
      bits |= 1 << operation.code();
    }
    return bits;
  }
}
