/**
 * One actor for each consumer group, over the partition of __consumer_offsets that keeps its state.
 */
@NullMarked
package io.milena.group.actor;

import org.jspecify.annotations.NullMarked;
