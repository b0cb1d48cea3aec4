package io.milena.raft;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What must be durable, all of it or none, before the rest of the {@link Effects} that carry it is
 * carried out, and before a later one is. Its parts take effect in the order of the fields; {@link
 * DurableState#replay} does it.
 *
 * @param sequence to be handed back in {@link Input.Persisted}; grows by one, from 1 in each life
 *     of the process; 0 when there is nothing to persist
 * @param hardState the new one, where it changed
 * @param truncateFrom entries from this index on, inclusive, are dropped
 * @param snapshot replaces all entries up to its position
 * @param entries follow the last entry that is left
 */
public record Persist(
    long sequence,
    Optional<HardState> hardState,
    OptionalLong truncateFrom,
    Optional<Snapshot> snapshot,
    List<Entry> entries) {

  /** Nothing. */
  public static final Persist NOTHING =
      new Persist(0, Optional.empty(), OptionalLong.empty(), Optional.empty(), List.of());

  public Persist {
    entries = List.copyOf(entries);
  }

  /** Whether there is nothing to do, and nothing to acknowledge. */
  @JsonIgnore
  public boolean isEmpty() {
    return sequence == 0;
  }
}
