package io.milena.metadata;

import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;

/**
 * What changed between two images; look the new values up in the new image and the old ones in the
 * old.
 *
 * @param topics ids of topics that were created, deleted or got partitions
 * @param replicaSets ids of sets that are new or changed
 * @param nodes ids of nodes that were registered or changed
 * @param configs resources whose overrides changed
 */
public record MetadataDelta(
    Set<Uuid> topics, Set<Integer> replicaSets, Set<Integer> nodes, Set<ConfigResource> configs) {}
