package io.milena.metadata.actor;

import java.util.List;

/** How a member of the metadata group reaches the others. */
public interface Peers {

  /** Sends if it can and returns at once; losing a message does no harm. */
  void send(int nodeId, MetadataGroup.Remote message);

  /**
   * Nodes to ask while this one knows no leader, as it is not a member yet or not any more; without
   * itself.
   */
  List<Integer> contacts();

  /** Of a group of one: there is nobody. */
  static Peers none() {
    return new Peers() {
      @Override
      public void send(int nodeId, MetadataGroup.Remote message) {}

      @Override
      public List<Integer> contacts() {
        return List.of();
      }
    };
  }
}
