package io.milena.wire.exchange;

import io.milena.log.FileRegion;
import io.milena.replication.DivergingEpoch;
import io.milena.wire.handler.PrivateAnswer;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import org.apache.kafka.common.network.TransferableChannel;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Writable;
import org.apache.kafka.common.utils.internals.ByteUtils;
import org.jspecify.annotations.Nullable;

/**
 * An answer to a poll as it comes together. A session has one and uses it for a poll after the
 * other: it is begun anew only once the socket has taken it. Small stretches of records are read
 * into memory, where one write takes many of them; larger ones stay in their files.
 */
final class ExchangeAnswer implements PrivateAnswer {
  /** Up to this size, records are copied. */
  static final int COPIED_BYTES_MAX = 8 * 1024;

  /** How much is copied for one answer at most. */
  static final int COPY_BUFFER_BYTES = 64 * 1024;

  private static final int INITIAL_BYTES = 512;

  private ByteBuffer entries = ByteBuffer.allocate(INITIAL_BYTES);
  private final CopyTarget copies = new CopyTarget();
  private final ArrayList<Object> records = new ArrayList<>();
  private Errors error = Errors.NONE;
  private int recordsBytes;
  private int copiedFrom;

  /** Forgets the last answer. */
  void begin() {
    entries.clear();
    records.clear();
    copies.clear();
    copiedFrom = 0;
    recordsBytes = 0;
    error = Errors.NONE;
  }

  /** Answers with an error instead of entries. */
  void refuse(Errors refusal) {
    begin();
    error = refusal;
  }

  /** Bytes of records so far. */
  @Override
  public int recordsBytes() {
    return recordsBytes;
  }

  /**
   * Adds an entry.
   *
   * @param version of the position that is answered
   * @param region the records, or null for none; not empty
   * @throws IOException when the records cannot be read; nothing is added then
   */
  void add(
      int handle,
      byte version,
      int leaderEpoch,
      long highWatermark,
      long logStartOffset,
      Errors entryError,
      @Nullable DivergingEpoch diverging,
      @Nullable FileRegion region)
      throws IOException {
    if (region != null) {
      addRecords(region);
    }
    entries = ExchangeFormat.withRoom(entries, ExchangeFormat.ENTRY_BYTES_MAX);
    ByteUtils.writeUnsignedVarint(handle, entries);
    entries.put(version);
    entries.put(
        (byte)
            ((diverging == null ? 0 : ExchangeFormat.DIVERGING)
                | (region == null ? 0 : ExchangeFormat.RECORDS)
                | (entryError == Errors.NONE ? 0 : ExchangeFormat.ERROR)));
    ByteUtils.writeUnsignedVarint(leaderEpoch, entries);
    ByteUtils.writeVarlong(highWatermark, entries);
    ByteUtils.writeVarlong(logStartOffset, entries);
    if (entryError != Errors.NONE) {
      entries.putShort(entryError.code());
    }
    if (diverging != null) {
      ByteUtils.writeUnsignedVarint(diverging.leaderEpoch() + 1, entries);
      ByteUtils.writeVarlong(diverging.endOffset() + 1, entries);
    }
    if (region != null) {
      ByteUtils.writeUnsignedVarint(region.sizeInBytes(), entries);
    }
  }

  private void addRecords(FileRegion region) throws IOException {
    int sizeBytes = region.sizeInBytes();
    if (sizeBytes <= COPIED_BYTES_MAX && copies.hasRoom(sizeBytes)) {
      copies.copy(region);
    } else {
      endCopies();
      records.add(region);
    }
    recordsBytes = Math.addExact(recordsBytes, sizeBytes);
  }

  private void endCopies() {
    int to = copies.position();
    if (to > copiedFrom) {
      records.add(copies.slice(copiedFrom, to));
      copiedFrom = to;
    }
  }

  @Override
  public int memoryBytes() {
    return error == Errors.NONE
        ? ExchangeFormat.ANSWER_HEADER_BYTES + entries.position()
        : Short.BYTES;
  }

  @Override
  public void write(Writable out) {
    out.writeShort(error.code());
    if (error != Errors.NONE) {
      return;
    }
    out.writeInt(entries.position());
    out.writeByteArray(java.util.Arrays.copyOf(entries.array(), entries.position()));
    endCopies();
    for (Object part : records) {
      switch (part) {
        case FileRegion region -> out.writeRecords(region);
        case ByteBuffer copied -> out.writeByteBuffer(copied);
        default -> throw new IllegalStateException("Unexpected part " + part);
      }
    }
  }

  /** Takes bytes from files as a socket would. */
  private static final class CopyTarget implements TransferableChannel {
    private @Nullable ByteBuffer memory;

    void clear() {
      if (memory != null) {
        memory.clear();
      }
    }

    int position() {
      return memory == null ? 0 : memory.position();
    }

    boolean hasRoom(int bytes) {
      return bytes <= (memory == null ? COPY_BUFFER_BYTES : memory.remaining());
    }

    void copy(FileRegion region) throws IOException {
      if (memory == null) {
        memory = ByteBuffer.allocateDirect(COPY_BUFFER_BYTES);
      }
      ByteBuffer target = memory;
      int start = target.position();
      int size = region.sizeInBytes();
      try {
        for (int copied = 0; copied < size; copied = target.position() - start) {
          region.writeTo(this, copied, size - copied);
        }
      } catch (IOException | RuntimeException e) {
        target.position(start);
        throw e;
      }
    }

    ByteBuffer slice(int from, int to) {
      ByteBuffer source = memory;
      return source == null ? ByteBuffer.allocate(0) : source.slice(from, to - from);
    }

    @Override
    public long transferFrom(FileChannel file, long positionBytes, long countBytes)
        throws IOException {
      ByteBuffer target = memory;
      if (target == null) {
        return 0;
      }
      target.limit(target.position() + (int) countBytes);
      try {
        int read = file.read(target, positionBytes);
        if (read <= 0) {
          throw new EOFException("the log ends before byte " + (positionBytes + countBytes));
        }
        return read;
      } finally {
        target.limit(target.capacity());
      }
    }

    @Override
    public int write(ByteBuffer source) {
      throw new UnsupportedOperationException("only files are copied");
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) {
      throw new UnsupportedOperationException("only files are copied");
    }

    @Override
    public long write(ByteBuffer[] sources) {
      throw new UnsupportedOperationException("only files are copied");
    }

    @Override
    public boolean hasPendingWrites() {
      return false;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }
}
