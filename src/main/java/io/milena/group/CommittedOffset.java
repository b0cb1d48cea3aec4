package io.milena.group;

import java.util.OptionalLong;
import org.apache.kafka.common.Uuid;

/**
 * A committed offset of one group and partition.
 *
 * @param offset next offset the group will read
 * @param leaderEpoch of the last record read, or -1 when the client does not say
 * @param metadata the client's own text, never null
 * @param commitTimestampMs wall clock when it was committed
 * @param expireTimestampMs when it expires by the wish of an old client (OffsetCommit 2 to 4);
 *     empty for the cluster's retention
 * @param topicId the topic it was committed for, or {@link Uuid#ZERO_UUID} when not known
 */
public record CommittedOffset(
    long offset,
    int leaderEpoch,
    String metadata,
    long commitTimestampMs,
    OptionalLong expireTimestampMs,
    Uuid topicId) {}
