package io.milena.http.stream;

import io.milena.group.actor.RegionReader;
import io.milena.log.FileRegion;
import io.milena.log.LogView;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import java.io.IOException;
import java.util.List;
import java.util.function.ToLongFunction;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** A replica on this node: its published views are read, without asking anybody. */
record LocalFeed(Replica replica, ViewHub hub) implements Feed {

  static ToLongFunction<ReplicaView> bound(boolean committedOnly) {
    return committedOnly ? ReplicaView::lastStableOffset : ReplicaView::highWatermark;
  }

  @Override
  public TopicPartition partition() {
    return replica.partition();
  }

  @Override
  public Uuid topicId() {
    return replica.topicId();
  }

  @Override
  public long end(boolean committedOnly) {
    return bound(committedOnly).applyAsLong(replica.view());
  }

  @Override
  public void watch(Runnable waker) {
    hub.add(replica, waker);
  }

  @Override
  public void unwatch(Runnable waker) {
    hub.remove(replica, waker);
  }

  /**
   * What follows an offset.
   *
   * @param bytes to read about, one batch at least
   * @return null when there is nothing to read now
   */
  @Nullable Stretch read(long offset, int bytes, boolean committedOnly) throws IOException {
    ReplicaView view = replica.view();
    LogView log = view.log();
    long bound = bound(committedOnly).applyAsLong(view);
    if (view.role() == ReplicaRole.OFFLINE || view.role() == ReplicaRole.IDLE) {
      return null;
    }
    long from = Math.max(offset, log.logStartOffset());
    if (from >= bound) {
      return null;
    }
    FileRegion region = log.read(from, bytes, bound, true);
    if (region.isEmpty()) {
      // Compaction has left nothing up to here.
      return new Stretch(from, bound, List.of(), List.of());
    }
    List<Aborted> aborted =
        committedOnly
            ? log.abortedTransactions(from, bound).stream()
                .map(each -> new Aborted(each.producerId(), each.firstOffset()))
                .toList()
            : List.of();
    return new Stretch(from, from, RegionReader.read(region).batches(), aborted);
  }
}
