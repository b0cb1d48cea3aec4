/** Metadata records, the immutable image they build, and the rules that decide them. */
@NullMarked
package io.milena.metadata;

import org.jspecify.annotations.NullMarked;
