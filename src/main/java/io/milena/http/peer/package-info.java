/** Other nodes: what they are asked on behalf of clients that came to this one. */
@NullMarked
package io.milena.http.peer;

import org.jspecify.annotations.NullMarked;
