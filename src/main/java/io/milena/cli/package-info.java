/**
 * The {@code milena} command: a client of any server that speaks the Kafka protocol, and the start,
 * stop and status of a node on this machine. {@code bin/milena} launches {@link Main}, and launches
 * the node itself for {@code start}.
 */
@NullMarked
package io.milena.cli;

import org.jspecify.annotations.NullMarked;
