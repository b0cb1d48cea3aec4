/**
 * The sockets of the HTTP port, below Akka HTTP's own layer: one selector thread that says when a
 * socket is ready, and a stage a connection that moves bytes, segment files by {@code transferTo}.
 */
@NullMarked
package io.milena.http.transport;

import org.jspecify.annotations.NullMarked;
