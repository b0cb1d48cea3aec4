package io.milena.replication;

import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/**
 * What a leader answers to a follower that fetched, see {@link Replica#onLeaderAnswer}. An answer
 * to another position or epoch than the follower has by now is dropped: it may come late or twice.
 *
 * @param leaderEpoch epoch in which the leader answers
 * @param fetchOffset the position that is answered: the follower's log end offset
 * @param lastFetchedEpoch the position's epoch: the newest in the follower's log, or -1
 * @param error NONE; OFFSET_OUT_OF_RANGE when the position lies before the leader's log start
 *     offset; with any other error the rest is not looked at and nothing is done
 * @param highWatermark the leader's, exclusive
 * @param logStartOffset the leader's first offset
 * @param diverging where the leader's log differs from the follower's, or null when it does not;
 *     there are no records with it
 * @param records whole batches from the position on, up to the leader's log end; a last batch that
 *     is cut off is ignored; empty when there is none
 */
public record LeaderAnswer(
    int leaderEpoch,
    long fetchOffset,
    int lastFetchedEpoch,
    Errors error,
    long highWatermark,
    long logStartOffset,
    @Nullable DivergingEpoch diverging,
    MemoryRecords records) {}
