/** The consumer-group coordinator as a deterministic core: decide, append, replay. */
@NullMarked
package io.milena.group;

import org.jspecify.annotations.NullMarked;
