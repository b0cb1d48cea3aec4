/**
 * Segment files in Kafka's on-disk format: append, read, index, roll, retain, compact, recover,
 * truncate.
 */
@NullMarked
package io.milena.log;

import org.jspecify.annotations.NullMarked;
