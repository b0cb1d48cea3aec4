package io.milena.log;

import java.util.ArrayList;
import java.util.List;

/**
 * Which offsets of a log were written in which leader epoch (KIP-101, KIP-279): an immutable list
 * of epochs with the offset each began at, both growing. Kept in {@code leader-epoch-checkpoint}.
 */
public record LeaderEpochHistory(List<Entry> entries) {

  /**
   * @param epoch leader epoch, 0 or more
   * @param startOffset offset of the first record written in it
   */
  public record Entry(int epoch, long startOffset) {}

  /** No epoch known. */
  public static final LeaderEpochHistory EMPTY = new LeaderEpochHistory(List.of());

  public LeaderEpochHistory {
    entries = List.copyOf(entries);
  }

  /** The newest epoch, or -1. */
  public int latestEpoch() {
    return entries.isEmpty() ? -1 : entries.getLast().epoch();
  }

  /** The epoch in which the record at an offset was written, or -1 when it is not known. */
  public int epochAt(long offset) {
    for (int i = entries.size() - 1; i >= 0; i--) {
      if (entries.get(i).startOffset() <= offset) {
        return entries.get(i).epoch();
      }
    }
    return -1;
  }

  /**
   * The largest known epoch not above {@code epoch} and where it ends, exclusive.
   *
   * @param logEndOffset end of the newest epoch
   */
  public LogView.EpochEnd endOf(int epoch, long logEndOffset) {
    if (epoch < 0) {
      return new LogView.EpochEnd(-1, -1);
    }
    if (epoch == latestEpoch()) {
      return new LogView.EpochEnd(epoch, logEndOffset);
    }
    if (entries.isEmpty() || epoch > latestEpoch()) {
      // An epoch that has never been seen: nothing can be said about where it ends.
      return new LogView.EpochEnd(-1, -1);
    }
    for (int i = entries.size() - 2; i >= 0; i--) {
      if (entries.get(i).epoch() <= epoch) {
        return new LogView.EpochEnd(entries.get(i).epoch(), entries.get(i + 1).startOffset());
      }
    }
    // Below the oldest epoch known: Kafka answers with the asked epoch and the first offset known.
    return new LogView.EpochEnd(epoch, entries.getFirst().startOffset());
  }

  /**
   * With an epoch that begins at an offset. The same epoch again changes nothing; entries at or
   * past the new epoch or offset, which contradict it, go.
   */
  public LeaderEpochHistory with(int epoch, long startOffset) {
    if (epoch < 0 || (epoch == latestEpoch() && entries.getLast().startOffset() <= startOffset)) {
      return this;
    }
    List<Entry> kept = new ArrayList<>(entries.size() + 1);
    for (Entry entry : entries) {
      if (entry.epoch() < epoch && entry.startOffset() < startOffset) {
        kept.add(entry);
      }
    }
    kept.add(new Entry(epoch, startOffset));
    return new LeaderEpochHistory(kept);
  }

  /** Without the epochs that begin at or past an offset. */
  public LeaderEpochHistory truncatedToEnd(long endOffset) {
    if (entries.isEmpty() || entries.getLast().startOffset() < endOffset) {
      return this;
    }
    return new LeaderEpochHistory(
        entries.stream().filter(entry -> entry.startOffset() < endOffset).toList());
  }

  /** Without what lies before an offset; the epoch in force there begins at the offset. */
  public LeaderEpochHistory truncatedFromStart(long startOffset) {
    if (entries.isEmpty() || entries.getFirst().startOffset() >= startOffset) {
      return this;
    }
    List<Entry> kept = new ArrayList<>();
    int inForce = epochAt(startOffset);
    kept.add(new Entry(inForce, startOffset));
    for (Entry entry : entries) {
      if (entry.startOffset() > startOffset) {
        kept.add(entry);
      }
    }
    return new LeaderEpochHistory(kept);
  }
}
