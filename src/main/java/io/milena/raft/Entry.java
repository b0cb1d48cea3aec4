package io.milena.raft;

/**
 * One entry of the replicated log.
 *
 * @param index position in the log, from 1
 * @param epoch of the leader that appended it
 * @param payload what it says
 */
public record Entry(long index, int epoch, EntryPayload payload) {
  public Entry {
    if (index < 1 || epoch < 1) {
      throw new IllegalArgumentException("No entry has index " + index + " and epoch " + epoch);
    }
  }
}
