package io.milena.replication;

import io.milena.log.LogView;

/**
 * A replica as its actor last published it, by one volatile write: everything a reader needs
 * without asking the actor.
 *
 * @param role what the replica is
 * @param leaderEpoch epoch of the leadership that {@code role} speaks of
 * @param log the log's segments, log start offset, log end offset and epoch history; safe to read
 *     from any thread
 * @param highWatermark exclusive bound of what consumers may see
 * @param lastStableOffset exclusive bound for {@code read_committed}; at most {@code highWatermark}
 */
public record ReplicaView(
    ReplicaRole role, int leaderEpoch, LogView log, long highWatermark, long lastStableOffset) {}
