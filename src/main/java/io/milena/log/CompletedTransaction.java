package io.milena.log;

/**
 * A transaction that an end marker closed in this partition.
 *
 * @param producerId its producer
 * @param firstOffset of its first record here
 * @param lastOffset of the marker
 * @param aborted true for an abort marker, false for a commit
 */
record CompletedTransaction(long producerId, long firstOffset, long lastOffset, boolean aborted) {}
