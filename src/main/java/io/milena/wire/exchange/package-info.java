/**
 * The replication exchange between nodes: followers pull what their leaders have, one session for
 * each pair of nodes, over private requests on the Kafka listener.
 *
 * <p>{@link io.milena.wire.exchange.LeaderExchange} answers; {@link
 * io.milena.wire.exchange.FollowerLinks} asks. Both sides learn of changes by listeners on views,
 * and say only what has changed; the frames are in {@link io.milena.wire.exchange.ExchangeFormat}.
 */
@NullMarked
package io.milena.wire.exchange;

import org.jspecify.annotations.NullMarked;
