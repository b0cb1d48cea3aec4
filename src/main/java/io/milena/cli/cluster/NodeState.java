package io.milena.cli.cluster;

import java.util.Locale;

/** What the cluster says of a node. */
enum NodeState {
  /** Registered, and it serves. */
  LIVE("is live and catches up, unless its log is offline"),

  /** Registered, but not heard of, stopping, or not caught up with the metadata yet. */
  FENCED("is fenced: stopped, cut off or starting"),

  /** Not registered. */
  UNKNOWN("is not registered");

  private final String asMissingReplica;

  NodeState(String asMissingReplica) {
    this.asMissingReplica = asMissingReplica;
  }

  /** What it is to a partition that waits for its replica, to follow "node 3". */
  String asMissingReplica() {
    return asMissingReplica;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
