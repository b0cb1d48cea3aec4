package io.milena.log;

import org.jspecify.annotations.Nullable;

/**
 * Where the last look-ups in a segment ended: entries beside the sparse index, so that a reader who
 * goes on where it stopped, or the newest high watermark, is found without scanning. Any thread may
 * read and add; a lost entry costs a scan and nothing else.
 */
final class PositionHints {

  /** Every batch before {@code position} ends before {@code offset}; a batch begins there. */
  record Hint(long offset, int position) {}

  /** Some readers at different places, and the writer; searched from end to end each time. */
  private static final int HINTS_MAX = 8;

  private final @Nullable Hint[] hints = new @Nullable Hint[HINTS_MAX];
  private int next;

  /** The hint nearest at or below an offset and a position limit, or null. */
  @Nullable Hint floor(long offset, int limit) {
    Hint best = null;
    for (Hint hint : hints) {
      if (hint != null
          && hint.offset <= offset
          && hint.position <= limit
          && (best == null || hint.position > best.position)) {
        best = hint;
      }
    }
    return best;
  }

  void add(long offset, int position) {
    for (Hint hint : hints) {
      if (hint != null && hint.offset == offset) {
        return;
      }
    }
    int slot = next;
    next = (slot + 1) & (HINTS_MAX - 1);
    hints[slot] = new Hint(offset, position);
  }

  void clear() {
    for (int i = 0; i < HINTS_MAX; i++) {
      hints[i] = null;
    }
  }
}
