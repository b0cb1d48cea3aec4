package io.milena.log;

/**
 * A segment file as readers may see it.
 *
 * @param baseOffset which names the file
 * @param endOffset exclusive end of the offsets in it that can be read
 * @param bytes what can be read of it: whole batches, all of the file but for what was deleted
 *     (DeleteRecords) and what consumers may not see yet
 * @param firstTimestampMs largest timestamp of the first batch
 * @param newestTimestampMs largest timestamp of all
 * @param tag differs whenever the bytes differ: changes with compaction, growth and truncation, not
 *     with a restart
 * @param sealed whether the file is complete
 */
public record SegmentFile(
    long baseOffset,
    long endOffset,
    FileRegion bytes,
    long firstTimestampMs,
    long newestTimestampMs,
    String tag,
    boolean sealed) {}
