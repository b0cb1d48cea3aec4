/** Segment files and record batches by HTTP, from the page cache to the socket. */
@NullMarked
package io.milena.http.segments;

import org.jspecify.annotations.NullMarked;
