package io.milena.raft;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Collects the effects of a step. */
final class Outbox {
  private Optional<HardState> hardState = Optional.empty();
  private OptionalLong truncateFrom = OptionalLong.empty();
  private Optional<Snapshot> snapshot = Optional.empty();
  private Optional<Snapshot> install = Optional.empty();
  private final ArrayList<Entry> entries = new ArrayList<>();
  private final ArrayList<Envelope> messages = new ArrayList<>();
  private final ArrayList<ProposalOutcome> proposals = new ArrayList<>();
  private final ArrayList<ReadOutcome> reads = new ArrayList<>();
  private long sequence;

  void hardState(HardState newHardState) {
    hardState = Optional.of(newHardState);
  }

  void append(Entry entry) {
    entries.add(entry);
  }

  void truncate(long from) {
    entries.removeIf(entry -> entry.index() >= from);
    truncateFrom = OptionalLong.of(Math.min(from, truncateFrom.orElse(Long.MAX_VALUE)));
  }

  void snapshotTaken(Snapshot taken) {
    snapshot = Optional.of(taken);
  }

  void install(Snapshot received) {
    truncate(1);
    snapshot = Optional.of(received);
    install = Optional.of(received);
  }

  /** At a start the state machine gets what is durable already. */
  void restore(Snapshot durable) {
    install = Optional.of(durable);
  }

  void send(int to, Message message) {
    messages.add(new Envelope(to, message));
  }

  void outcome(ProposalOutcome outcome) {
    proposals.add(outcome);
  }

  void outcome(ReadOutcome outcome) {
    reads.add(outcome);
  }

  boolean mustPersist() {
    return hardState.isPresent()
        || truncateFrom.isPresent()
        || snapshot.isPresent()
        || !entries.isEmpty();
  }

  /** Everything collected; starts anew. */
  Effects take(List<Entry> apply) {
    Persist persist =
        mustPersist()
            ? new Persist(++sequence, hardState, truncateFrom, snapshot, entries)
            : Persist.NOTHING;
    var effects = new Effects(persist, messages, install, apply, proposals, reads);
    hardState = Optional.empty();
    truncateFrom = OptionalLong.empty();
    snapshot = Optional.empty();
    install = Optional.empty();
    entries.clear();
    messages.clear();
    proposals.clear();
    reads.clear();
    return effects;
  }
}
