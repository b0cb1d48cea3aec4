package io.milena.wire.exchange;

import io.milena.replication.Replica;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one replica in the link to whom it follows. The listener of its views: runs on the thread
 * of the replica's actor, and once on that of the metadata images.
 */
final class Watch implements Runnable {
  private final FollowerLinks links;
  private final Replica replica;

  // Guarded by this.
  private @Nullable FollowerLink link;
  private @Nullable FollowedPartition partition;
  private boolean ended;

  Watch(FollowerLinks links, Replica replica) {
    this.links = links;
    this.replica = replica;
  }

  void begin() {
    replica.addListener(this);
    run();
  }

  @Override
  public synchronized void run() {
    ReplicaView view = replica.view();
    boolean follows = view.role() == ReplicaRole.FOLLOWER && !ended;
    int leader = follows ? view.leaderId() : ReplicaView.NO_LEADER;
    FollowerLink current = link;
    FollowedPartition present = partition;
    if (current != null && present != null) {
      if (current.leaderId() == leader) {
        current.mark(present);
        return;
      }
      current.remove(present);
      link = null;
      partition = null;
    }
    if (leader == ReplicaView.NO_LEADER) {
      return;
    }
    FollowerLink next = links.linkTo(leader);
    if (next != null) {
      FollowedPartition added = new FollowedPartition(replica);
      next.add(added);
      link = next;
      partition = added;
    }
  }

  void end() {
    replica.removeListener(this);
    synchronized (this) {
      ended = true;
      run();
    }
  }
}
