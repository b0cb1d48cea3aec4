package io.milena.metadata;

import org.apache.kafka.common.Uuid;
import org.pcollections.PVector;

/**
 * A topic.
 *
 * @param name unique among the topics there are
 * @param id unique for ever
 * @param partitions by index, without gaps
 * @param internal true for the topics the cluster keeps for itself ({@code __consumer_offsets})
 */
public record TopicImage(
    String name, Uuid id, PVector<PartitionImage> partitions, boolean internal) {}
