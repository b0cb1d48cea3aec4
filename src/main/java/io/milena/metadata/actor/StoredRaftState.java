package io.milena.metadata.actor;

import akka.persistence.typed.SnapshotAdapter;
import io.milena.raft.DurableState;
import io.milena.raft.Entry;
import io.milena.raft.HardState;
import io.milena.raft.Snapshot;
import java.util.List;

/**
 * A {@link DurableState} as it is put into the snapshot store: a copy, as the store writes it on
 * another thread while the original goes on.
 */
record StoredRaftState(HardState hardState, Snapshot snapshot, List<Entry> entries) {

  StoredRaftState {
    entries = List.copyOf(entries);
  }

  /** Translates between the two. */
  static SnapshotAdapter<DurableState> adapter() {
    return new SnapshotAdapter<>() {
      @Override
      public Object toJournal(DurableState state) {
        return new StoredRaftState(state.hardState(), state.snapshot(), state.entries());
      }

      @Override
      public DurableState fromJournal(Object stored) {
        if (!(stored
            instanceof
            StoredRaftState(HardState hardState, Snapshot snapshot, List<Entry> entries))) {
          throw new IllegalStateException(
              "The snapshot store has a "
                  + stored.getClass().getName()
                  + " for "
                  + MetadataGroup.PERSISTENCE_ID
                  + ": it belongs to another application");
        }
        return new DurableState(hardState, snapshot, entries);
      }
    };
  }
}
