package io.milena.metadata;

/**
 * One partition of a topic: which replica set holds it. Leader, epoch and in-sync replicas are
 * facts of the set.
 *
 * @param partition index in the topic, from 0
 * @param replicaSetId the set, see {@link ReplicaSetImage}
 */
public record PartitionImage(int partition, int replicaSetId) {}
