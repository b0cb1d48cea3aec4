package io.milena.group;

/** Where a classic group is in its rebalance. The names are what clients see. */
public enum GroupState {
  /** No members; it may have committed offsets. */
  EMPTY("Empty"),
  /** Waits for members to join the next generation. */
  PREPARING_REBALANCE("PreparingRebalance"),
  /** The generation has begun; waits for the leader's assignment. */
  COMPLETING_REBALANCE("CompletingRebalance"),
  /** Every member can have its assignment. */
  STABLE("Stable"),
  /** Being deleted, or its partition moved away. */
  DEAD("Dead");

  private final String protocolName;

  GroupState(String protocolName) {
    this.protocolName = protocolName;
  }

  /** As ListGroups and DescribeGroups say it. */
  public String protocolName() {
    return protocolName;
  }
}
