package io.milena.log;

import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Producer states by producer id: open addressing with linear probing over the entries themselves,
 * so that a producer costs one array slot and no boxed key. Not thread-safe.
 */
final class ProducerTable {

  private static final int INITIAL_SLOTS = 8;

  private @Nullable ProducerStateEntry[] slots = new @Nullable ProducerStateEntry[INITIAL_SLOTS];
  private int size;

  int size() {
    return size;
  }

  @Nullable ProducerStateEntry get(long producerId) {
    int mask = slots.length - 1;
    for (int i = home(producerId, mask); ; i = (i + 1) & mask) {
      ProducerStateEntry entry = slots[i];
      if (entry == null || entry.producerId == producerId) {
        return entry;
      }
    }
  }

  /** Adds an entry, or replaces the one of the same producer. */
  void put(ProducerStateEntry entry) {
    // At most three quarters full, so that a probe always meets an empty slot.
    if ((size + 1) * 4L > slots.length * 3L) {
      grow();
    }
    if (place(slots, entry)) {
      size++;
    }
  }

  void clear() {
    slots = new @Nullable ProducerStateEntry[INITIAL_SLOTS];
    size = 0;
  }

  void forEach(Consumer<ProducerStateEntry> action) {
    for (ProducerStateEntry entry : slots) {
      if (entry != null) {
        action.accept(entry);
      }
    }
  }

  /** Removes what matches; rebuilds the table when there was anything, as it is rare. */
  void removeIf(Predicate<ProducerStateEntry> predicate) {
    int kept = 0;
    for (ProducerStateEntry entry : slots) {
      if (entry != null && !predicate.test(entry)) {
        kept++;
      }
    }
    if (kept == size) {
      return;
    }
    int length = INITIAL_SLOTS;
    while ((kept + 1) * 4L > length * 3L) {
      length *= 2;
    }
    @Nullable ProducerStateEntry[] next = new @Nullable ProducerStateEntry[length];
    for (ProducerStateEntry entry : slots) {
      if (entry != null && !predicate.test(entry)) {
        place(next, entry);
      }
    }
    slots = next;
    size = kept;
  }

  private void grow() {
    @Nullable ProducerStateEntry[] next = new @Nullable ProducerStateEntry[slots.length * 2];
    for (ProducerStateEntry entry : slots) {
      if (entry != null) {
        place(next, entry);
      }
    }
    slots = next;
  }

  private static boolean place(@Nullable ProducerStateEntry[] slots, ProducerStateEntry entry) {
    int mask = slots.length - 1;
    int i = home(entry.producerId, mask);
    while (true) {
      ProducerStateEntry occupant = slots[i];
      if (occupant == null || occupant.producerId == entry.producerId) {
        slots[i] = entry;
        return occupant == null;
      }
      i = (i + 1) & mask;
    }
  }

  private static int home(long producerId, int mask) {
    // Producer ids are handed out in blocks, so mix before masking.
    long mixed = producerId * 0x9E3779B97F4A7C15L;
    return (int) (mixed >>> Integer.SIZE) & mask;
  }
}
