/** The perf command: produce, consume and latency measurements against a running cluster. */
@NullMarked
package io.milena.cli.perf;

import org.jspecify.annotations.NullMarked;
