package io.milena.raft;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.List;

/**
 * What a server finds on its disk: the fold of every {@link Persist} it made durable. Not safe for
 * threads; a shell uses it as the state its events lead to. Jackson can write and read it.
 */
public final class DurableState {
  private HardState hardState;
  private Snapshot snapshot;
  private final ArrayList<Entry> entries;

  /** A state put together from what was stored; entries follow the snapshot without gap. */
  @JsonCreator
  public DurableState(
      @JsonProperty("hardState") HardState hardState,
      @JsonProperty("snapshot") Snapshot snapshot,
      @JsonProperty("entries") List<Entry> entries) {
    this.hardState = hardState;
    this.snapshot = snapshot;
    this.entries = new ArrayList<>(entries);
    for (int i = 0; i < entries.size(); i++) {
      if (entries.get(i).index() != snapshot.position().index() + 1 + i) {
        throw new IllegalArgumentException(
            "Entry "
                + entries.get(i).index()
                + " does not follow the one before it or the snapshot at "
                + snapshot.position());
      }
    }
  }

  /**
   * A server's first state.
   *
   * @param membership the same on all voters of a new group, or {@link Membership#EMPTY} on a node
   *     that is to be added to a running one
   */
  public static DurableState initial(Membership membership) {
    return new DurableState(HardState.INITIAL, Snapshot.bootstrap(membership), List.of());
  }

  /** Applies one durable change. */
  public void replay(Persist persist) {
    persist.hardState().ifPresent(newHardState -> hardState = newHardState);
    persist.truncateFrom().ifPresent(from -> entries.removeIf(entry -> entry.index() >= from));
    persist
        .snapshot()
        .ifPresent(newSnapshot -> {
          snapshot = newSnapshot;
          long last = newSnapshot.position().index();
          entries.removeIf(entry -> entry.index() <= last);
        });
    for (Entry entry : persist.entries()) {
      long expected = snapshot.position().index() + entries.size() + 1;
      if (entry.index() != expected) {
        throw new IllegalStateException(
            "Entry " + entry.index() + " cannot follow: " + expected + " is next");
      }
      entries.add(entry);
    }
  }

  @JsonProperty("hardState")
  public HardState hardState() {
    return hardState;
  }

  @JsonProperty("snapshot")
  public Snapshot snapshot() {
    return snapshot;
  }

  /** Entries after the snapshot, a copy. */
  @JsonProperty("entries")
  public List<Entry> entries() {
    return List.copyOf(entries);
  }
}
