/** The HTTP port of a node. */
@NullMarked
package io.milena.http;

import org.jspecify.annotations.NullMarked;
