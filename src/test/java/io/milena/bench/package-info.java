/** JMH benchmarks of the hot paths; {@code bench/jmh} runs them, the build only compiles them. */
@NullMarked
package io.milena.bench;

import org.jspecify.annotations.NullMarked;
