package io.milena.group;

/**
 * When something happens, as both clocks tell it.
 *
 * @param monotonicMs for deadlines: never goes backwards
 * @param wallClockMs for what is stored and shown: milliseconds since 1970
 */
public record Moment(long monotonicMs, long wallClockMs) {}
