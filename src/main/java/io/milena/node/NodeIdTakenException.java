package io.milena.node;

/** The node id belongs to another data directory of the cluster. */
final class NodeIdTakenException extends StartupException {

  private static final long serialVersionUID = 1;

  NodeIdTakenException(String message) {
    super(message);
  }
}
