package io.milena.journal;

/** A journal or snapshot file does not hold what was written to it; its message names the place. */
public final class JournalDamagedException extends RuntimeException {
  JournalDamagedException(String message) {
    super(message);
  }
}
