/**
 * Raft as a deterministic state machine: inputs and ticks in; what to persist, then send, then
 * apply out.
 */
@NullMarked
package io.milena.raft;

import org.jspecify.annotations.NullMarked;
