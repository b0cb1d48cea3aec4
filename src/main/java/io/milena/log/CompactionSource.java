package io.milena.log;

import java.nio.file.Path;

/**
 * A segment as compaction sees it: planned with, and, once it is sealed, read.
 *
 * @param baseOffset of the segment
 * @param logFile its log file
 * @param sizeBytes of the log file
 * @param firstTimestampMs of its first batch, or -1 when there is none
 * @param largestTimestampMs of its records, or of the file when none has one
 */
record CompactionSource(
    long baseOffset, Path logFile, int sizeBytes, long firstTimestampMs, long largestTimestampMs) {}
