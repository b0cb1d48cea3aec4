/** What a node tells Prometheus; docs/http.md lists the names. */
@NullMarked
package io.milena.http.metrics;

import org.jspecify.annotations.NullMarked;
