package io.milena.http.stream;

import java.util.Map;
import java.util.OptionalLong;
import org.apache.kafka.common.TopicPartition;

/**
 * What a reader asked for.
 *
 * @param topics which
 * @param begin offset to begin with, for every partition there is when the stream begins; one that
 *     comes later begins with its first record
 * @param ends where partitions end that are read from other nodes, unless it follows; those of this
 *     node end where they do when it begins
 * @param filter which records
 * @param committedOnly leave out what was aborted, and wait for what is undecided
 * @param limit end after so many records
 * @param group whose partitions it shares, and commits for; empty for none
 * @param follow wait for what comes; otherwise end where the partitions ended at the beginning
 */
record StreamPlan(
    TopicSelection topics,
    Map<TopicPartition, Long> begin,
    Map<TopicPartition, Long> ends,
    RecordFilter filter,
    boolean committedOnly,
    OptionalLong limit,
    String group,
    boolean follow) {}
