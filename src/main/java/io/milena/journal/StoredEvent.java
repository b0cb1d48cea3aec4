package io.milena.journal;

/**
 * One event of a persistent actor.
 *
 * @param sequenceNumber of the actor, from 1, growing
 * @param data its serialised form; never changed after it was handed over
 */
@SuppressWarnings("ArrayRecordComponent") // bulk bytes, never compared
record StoredEvent(long sequenceNumber, byte[] data) {}
