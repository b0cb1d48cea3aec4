package io.milena.log;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The newest offset of each key, in bounded memory: 24 bytes a key, however long the key is. A key
 * is known by the first 128 bits of its SHA-256, so two keys that anybody could find never fall
 * together. Grows from small to its bound. Not thread-safe.
 *
 * <p>Kafka's SkimpyOffsetMap is the model; it hashes with MD5.
 */
final class KeyOffsetMap {

  private static final int LONGS_PER_SLOT = 3;
  private static final int SLOT_BYTES = LONGS_PER_SLOT * Long.BYTES;
  private static final int INITIAL_SLOTS = 1024;
  private static final int DIGEST_BYTES = 32;

  private final int slotsMax;
  private final MessageDigest digest;
  private final byte[] digestBytes = new byte[DIGEST_BYTES];
  private final ByteBuffer digestView = ByteBuffer.wrap(digestBytes).order(ByteOrder.BIG_ENDIAN);

  /** Slots of three longs: two of hash, then the offset plus one, so that 0 means empty. */
  private long[] slots;

  private int slotCount;
  private int size;

  /**
   * @param memoryBytes bound of the memory used, {@code log.cleaner.dedupe.buffer.size}; while it
   *     grows, for a moment one and a half times as much
   */
  KeyOffsetMap(long memoryBytes) {
    long wanted = memoryBytes / SLOT_BYTES;
    if (wanted < 2) {
      throw new IllegalArgumentException(memoryBytes + " bytes hold no key");
    }
    this.slotsMax = (int) Math.min(wanted, Integer.MAX_VALUE / LONGS_PER_SLOT - 8);
    this.slotCount = Math.min(slotsMax, INITIAL_SLOTS);
    this.slots = new long[slotCount * LONGS_PER_SLOT];
    try {
      this.digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /**
   * Notes that a key has a record at an offset; offsets come in ascending order.
   *
   * @return false when the map is full: nothing was noted
   */
  boolean put(ByteBuffer key, long offset) {
    hash(key);
    long high = digestView.getLong(0);
    long low = digestView.getLong(Long.BYTES);
    int at = find(high, low);
    if (slots[at + 2] == 0) {
      if (isFull(slotCount)) {
        if (slotCount == slotsMax) {
          return false;
        }
        grow();
        at = find(high, low);
      }
      slots[at] = high;
      slots[at + 1] = low;
      size++;
    }
    slots[at + 2] = offset + 1;
    return true;
  }

  /** The newest offset noted for a key, or -1. */
  long get(ByteBuffer key) {
    hash(key);
    return slots[find(digestView.getLong(0), digestView.getLong(Long.BYTES)) + 2] - 1;
  }

  /** Number of keys. */
  int size() {
    return size;
  }

  private boolean isFull(int count) {
    // Nine tenths, as in Kafka; a slot stays empty in any case so that a probe ends.
    return size + 1 > Math.min(count - 1, (int) (count * 0.9));
  }

  private void hash(ByteBuffer key) {
    digest.update(key.duplicate());
    try {
      digest.digest(digestBytes, 0, DIGEST_BYTES);
    } catch (DigestException e) {
      throw new IllegalStateException("the digest fits", e);
    }
  }

  private int find(long high, long low) {
    int slot = (int) Long.remainderUnsigned(high, slotCount);
    while (true) {
      int at = slot * LONGS_PER_SLOT;
      if (slots[at + 2] == 0 || (slots[at] == high && slots[at + 1] == low)) {
        return at;
      }
      slot = slot + 1 == slotCount ? 0 : slot + 1;
    }
  }

  private void grow() {
    long[] old = slots;
    slotCount = (int) Math.min(slotsMax, slotCount * 2L);
    slots = new long[slotCount * LONGS_PER_SLOT];
    for (int from = 0; from < old.length; from += LONGS_PER_SLOT) {
      if (old[from + 2] != 0) {
        System.arraycopy(old, from, slots, find(old[from], old[from + 1]), LONGS_PER_SLOT);
      }
    }
  }
}
