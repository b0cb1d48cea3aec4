package io.milena.raft;

/**
 * An entry by index and epoch; two logs that agree on one agree on all before it (Raft, section
 * 5.3).
 *
 * @param index 0 for the place before the first entry
 * @param epoch 0 there
 */
public record LogPosition(long index, int epoch) implements Comparable<LogPosition> {
  /** Before the first entry. */
  public static final LogPosition START = new LogPosition(0, 0);

  /** By epoch, then index: how up to date a log that ends here is (Raft, section 5.4.1). */
  @Override
  public int compareTo(LogPosition other) {
    return epoch != other.epoch
        ? Integer.compare(epoch, other.epoch)
        : Long.compare(index, other.index);
  }
}
