package io.milena.metadata.actor;

import io.milena.raft.Message;

/** How a member of the metadata group reaches the others. */
@FunctionalInterface
public interface Peers {

  /** Sends if it can and returns at once; losing a message does no harm. */
  void send(int nodeId, Message message);

  /** Of a group of one: there is nobody. */
  static Peers none() {
    return (_, _) -> {};
  }
}
