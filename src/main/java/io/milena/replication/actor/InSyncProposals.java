package io.milena.replication.actor;

import io.milena.metadata.MetadataService;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * What the replicas of a node need to keep the in-sync replicas of the sets that it leads.
 *
 * @param metadata decides proposals
 * @param nodeEpoch of this node's registration
 * @param lagMax {@code replica.lag.time.max.ms}: a replica that has not had all that the leader has
 *     for longer is not in sync any more
 */
public record InSyncProposals(MetadataService metadata, LongSupplier nodeEpoch, Duration lagMax) {}
