/** The Kafka protocol over TCP: sockets, frames, request dispatch. */
@NullMarked
package io.milena.wire;

import org.jspecify.annotations.NullMarked;
