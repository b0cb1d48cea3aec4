package io.milena.http.stream;

import io.milena.replication.Replica;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Wakes the streams that wait for a partition. However many they are, the partition's actor pays
 * for one task handed over; the streams are told from there.
 */
public final class ViewHub {

  private final Executor executor;
  private final ConcurrentHashMap<Replica, Channel> channels = new ConcurrentHashMap<>();

  public ViewHub(Executor executor) {
    this.executor = executor;
  }

  /** Runs a waker after every new view of a replica, until it is removed. It must be quick. */
  public void add(Replica replica, Runnable waker) {
    channels.compute(
        replica,
        (_, present) -> {
          Channel channel = present;
          if (channel == null) {
            channel = new Channel();
            replica.addListener(channel);
          }
          channel.wakers.add(waker);
          return channel;
        });
  }

  public void remove(Replica replica, Runnable waker) {
    channels.computeIfPresent(
        replica,
        (_, channel) -> {
          channel.wakers.remove(waker);
          if (!channel.wakers.isEmpty()) {
            return channel;
          }
          replica.removeListener(channel);
          return null;
        });
  }

  /** Partitions that streams wait for. */
  int size() {
    return channels.size();
  }

  private final class Channel implements Runnable {

    private final Set<Runnable> wakers = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean handedOver = new AtomicBoolean();

    /** On the thread of the partition's actor. */
    @Override
    public void run() {
      if (handedOver.compareAndSet(false, true)) {
        executor.execute(this::tell);
      }
    }

    private void tell() {
      // First: what is published from now on has to be told again.
      handedOver.set(false);
      wakers.forEach(Runnable::run);
    }
  }
}
