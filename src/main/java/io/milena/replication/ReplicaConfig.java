package io.milena.replication;

import io.milena.log.LogConfig;

/**
 * What a replica takes from its topic's effective configuration.
 *
 * @param log what its log takes
 * @param minInSyncReplicas {@code min.insync.replicas}: below this many in-sync replicas acks=all
 *     is refused
 */
public record ReplicaConfig(LogConfig log, int minInSyncReplicas) {}
