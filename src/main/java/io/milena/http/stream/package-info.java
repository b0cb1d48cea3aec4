/**
 * Topics as streams: Server-Sent Events, NDJSON or WebSocket, from a source whose demand reaches
 * down to the log.
 */
@NullMarked
package io.milena.http.stream;

import org.jspecify.annotations.NullMarked;
