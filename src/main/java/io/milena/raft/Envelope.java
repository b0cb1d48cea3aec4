package io.milena.raft;

/** A message and whom it goes to. */
public record Envelope(int to, Message message) {}
