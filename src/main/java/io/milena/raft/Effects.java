package io.milena.raft;

import java.util.List;
import java.util.Optional;

/**
 * What a shell does after a step, in the order of the fields. The effects of one step are carried
 * out after those of the step before; a shell may step on while a {@code persist} is under way, as
 * long as it keeps that order. After a crash whatever was not carried out is forgotten.
 *
 * @param persist make it durable; then step {@link Input.Persisted}
 * @param messages send them; losing some does no harm
 * @param install replace the state machine's state by this snapshot's
 * @param apply committed entries, in order, each exactly once in a life of the process, after
 *     {@code install}. Entries that are no {@link EntryPayload.Command} are for information.
 * @param proposals what became of proposals
 * @param reads what became of read requests
 */
public record Effects(
    Persist persist,
    List<Envelope> messages,
    Optional<Snapshot> install,
    List<Entry> apply,
    List<ProposalOutcome> proposals,
    List<ReadOutcome> reads) {
  public Effects {
    messages = List.copyOf(messages);
    apply = List.copyOf(apply);
    proposals = List.copyOf(proposals);
    reads = List.copyOf(reads);
  }
}
