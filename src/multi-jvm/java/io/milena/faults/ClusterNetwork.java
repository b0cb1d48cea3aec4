package io.milena.faults;

import io.milena.NodeProcess.Place;
import java.io.IOException;

/** Where the nodes of a cluster under test run, and how they reach each other. */
interface ClusterNetwork extends AutoCloseable {

  /** The clients, wherever nodes are named by their number from 1 on. */
  int CLIENTS = 0;

  /** Where a node runs; the same place each time. */
  Place place(int node) throws IOException;

  /** Empty where nodes can be cut off from each other; else why not. */
  String whyNoCuts();

  /** From now on nothing that one sends reaches the other. Nobody is told. */
  void cut(int from, int to) throws IOException;

  /** Everything reaches everybody again. */
  void heal() throws IOException;

  @Override
  void close() throws IOException;

  /** Both directions. */
  default void cutBothWays(int one, int other) throws IOException {
    cut(one, other);
    cut(other, one);
  }
}
