package io.milena.raft;

/** What became of a {@link Input.ReadIndex}. */
public sealed interface ReadOutcome {

  /** As asked. */
  long readId();

  /** Everything up to this index has been handed out for applying: read now. */
  record Ready(long readId, long index) implements ReadOutcome {}

  /** No leader confirmed in time; ask again. */
  record Refused(long readId, int leaderId) implements ReadOutcome {}
}
