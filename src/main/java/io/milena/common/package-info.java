/** Ids, errors, the clock and randomness seams, and units that every other package shares. */
@NullMarked
package io.milena.common;

import org.jspecify.annotations.NullMarked;
