/**
 * Faults in a cluster of real node processes under load, and the checker that compares what was
 * acknowledged with what is read.
 */
@org.jspecify.annotations.NullMarked
package io.milena.faults;
