/** Configuration, start and stop of one node. */
@NullMarked
package io.milena.node;

import org.jspecify.annotations.NullMarked;
