package io.milena.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/**
 * One segment: a log file, its offset index and its time index.
 *
 * <p>The owner of the log appends and truncates; one other thread may flush; any thread reads what
 * a published view says is there. The channel is opened on first use, and what the owner adds to
 * the index stays on the heap until a flush, roll or close writes the index files: they matter only
 * for what lies below the recovery point, all else is scanned again after a crash.
 */
final class Segment {

  private static final String[] INDEXES = {LogFiles.OFFSET_INDEX, LogFiles.TIME_INDEX};

  private volatile Path directory;
  private final long baseOffset;
  private final PositionHints hints = new PositionHints();

  private volatile @Nullable FileChannel channel;
  private volatile int sizeBytes;
  private volatile @Nullable SegmentIndex offsetIndex;
  private volatile @Nullable SegmentIndex timeIndex;
  private volatile @Nullable TransactionIndex transactions;
  private volatile boolean sealed;
  private volatile boolean isDisposed;
  private volatile long fileId;

  // The owner's alone:
  private int bytesSinceIndexEntry;
  private long maxTimestamp = Long.MIN_VALUE;
  private long offsetOfMaxTimestamp;
  private long firstTimestamp = Long.MIN_VALUE;
  private long createdMs;

  // Guarded by this:
  private boolean indexesDirty;
  private String suffix = "";

  /** Which file the channel is open on, where the file system can say. */
  private @Nullable Object fileKey;

  private Segment(Path directory, long baseOffset, int sizeBytes, long createdMs) {
    this.directory = directory;
    this.baseOffset = baseOffset;
    this.sizeBytes = sizeBytes;
    this.createdMs = createdMs;
    this.offsetOfMaxTimestamp = baseOffset;
  }

  /** A new, empty segment; the log file is made, the indexes are not until they have an entry. */
  static Segment create(Path directory, long baseOffset, long nowMs) throws IOException {
    Segment segment = new Segment(directory, baseOffset, 0, nowMs);
    segment.channel =
        FileChannel.open(
            LogFiles.file(directory, baseOffset, LogFiles.LOG),
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING);
    segment.noteFileKey();
    for (String index : INDEXES) {
      Files.deleteIfExists(LogFiles.file(directory, baseOffset, index));
    }
    segment.fileId = LogFiles.fileId(segment.file());
    segment.resetIndexes();
    return segment;
  }

  /** A segment that is there already, its size taken from the file; nothing is read. */
  static Segment existing(Path directory, long baseOffset) throws IOException {
    Path file = LogFiles.file(directory, baseOffset, LogFiles.LOG);
    long size = Files.size(file);
    if (size > Integer.MAX_VALUE) {
      throw new IOException(file + " is " + size + " bytes long, more than a segment can be");
    }
    Segment segment =
        new Segment(directory, baseOffset, (int) size, Files.getLastModifiedTime(file).toMillis());
    segment.fileId = LogFiles.fileId(file);
    segment.sealed = true;
    return segment;
  }

  long baseOffset() {
    return baseOffset;
  }

  int sizeBytes() {
    return sizeBytes;
  }

  /** Tells this file from one that compaction puts in its place. */
  long fileId() {
    return fileId;
  }

  PositionHints hints() {
    return hints;
  }

  Path file() {
    return LogFiles.file(directory, baseOffset, LogFiles.LOG);
  }

  /** The open log file; positions are absolute, its own position means nothing. */
  FileChannel channel() throws IOException {
    FileChannel open = channel;
    return open != null ? open : openChannel();
  }

  private synchronized FileChannel openChannel() throws IOException {
    FileChannel open = channel;
    if (open == null) {
      open =
          FileChannel.open(path(LogFiles.LOG), StandardOpenOption.READ, StandardOpenOption.WRITE);
      channel = open;
      noteFileKey();
    }
    return open;
  }

  private synchronized void noteFileKey() throws IOException {
    fileKey = Files.readAttributes(path(LogFiles.LOG), BasicFileAttributes.class).fileKey();
  }

  /**
   * Makes sure that the log file is at its place: what is written to one that somebody has removed
   * goes with it. One look at the directory; reads nothing.
   *
   * @throws FileGoneException when it is not, or another file is there
   */
  synchronized void checkInPlace() throws IOException {
    if (isDisposed) {
      return;
    }
    Path file = path(LogFiles.LOG);
    try {
      Object found = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
      if (fileKey != null && !fileKey.equals(found)) {
        throw new FileGoneException(file);
      }
    } catch (NoSuchFileException e) {
      throw new FileGoneException(file);
    }
  }

  SegmentIndex offsetIndex() throws IOException {
    SegmentIndex index = offsetIndex;
    return index != null ? index : loadIndex(SegmentIndex.Kind.OFFSET);
  }

  SegmentIndex timeIndex() throws IOException {
    SegmentIndex index = timeIndex;
    return index != null ? index : loadIndex(SegmentIndex.Kind.TIME);
  }

  private synchronized SegmentIndex loadIndex(SegmentIndex.Kind kind) throws IOException {
    boolean offsets = kind == SegmentIndex.Kind.OFFSET;
    SegmentIndex index = offsets ? offsetIndex : timeIndex;
    if (index == null) {
      Path file = path(offsets ? LogFiles.OFFSET_INDEX : LogFiles.TIME_INDEX);
      try {
        index = SegmentIndex.map(kind, file);
      } catch (NoSuchFileException e) {
        index = SegmentIndex.empty(kind);
      }
      if (offsets) {
        offsetIndex = index;
      } else {
        timeIndex = index;
      }
    }
    return index;
  }

  /** The aborted transactions whose markers lie here, or null when there is none. */
  @Nullable TransactionIndex transactions() {
    return transactions;
  }

  /** Opens the transaction index if its file exists. */
  void openTransactions() throws IOException {
    Path file = path(LogFiles.TRANSACTION_INDEX);
    if (Files.exists(file)) {
      transactions = TransactionIndex.open(file, baseOffset);
    }
  }

  /** The offset index of a segment that is being appended to. */
  SegmentIndex heapOffsetIndex() {
    SegmentIndex index = offsetIndex;
    return index == null ? SegmentIndex.empty(SegmentIndex.Kind.OFFSET) : index;
  }

  /** The time index of a segment that is being appended to. */
  SegmentIndex heapTimeIndex() {
    SegmentIndex index = timeIndex;
    return index == null ? SegmentIndex.empty(SegmentIndex.Kind.TIME) : index;
  }

  // ---- written by the owner

  /** Adds an aborted transaction whose marker has been appended here. */
  void addAborted(TransactionIndex.Entry entry) throws IOException {
    TransactionIndex index = transactions;
    if (index == null) {
      index = TransactionIndex.open(path(LogFiles.TRANSACTION_INDEX), baseOffset);
      transactions = index;
    }
    index.append(entry);
  }

  /** Writes whole batches at the end of the file; the caller accounts for them with noteBatch. */
  void write(ByteBuffer bytes) throws IOException {
    FileChannel target = channel();
    long position = sizeBytes;
    while (bytes.hasRemaining()) {
      position += target.write(bytes, position);
    }
  }

  /** Cuts off what a failed write may have left behind the end. */
  void discardPartialWrite() throws IOException {
    channel().truncate(sizeBytes);
  }

  /** Accounts for a batch that has been written at the end, and indexes it where one is due. */
  void noteBatch(BatchHeader batch, int indexIntervalBytes) throws IOException {
    if (firstTimestamp == Long.MIN_VALUE) {
      firstTimestamp = batch.maxTimestamp();
    }
    if (batch.maxTimestamp() > maxTimestamp) {
      maxTimestamp = batch.maxTimestamp();
      offsetOfMaxTimestamp = batch.lastOffset();
    }
    if (bytesSinceIndexEntry > indexIntervalBytes) {
      addIndexEntry(batch.lastOffset());
      bytesSinceIndexEntry = 0;
    }
    bytesSinceIndexEntry += batch.sizeBytes();
    int before = sizeBytes; // Volatile for readers; only the owner writes it.
    sizeBytes = before + batch.sizeBytes();
  }

  private synchronized void addIndexEntry(long lastOffset) throws IOException {
    offsetIndex = offsetIndex().withOffset((int) (lastOffset - baseOffset), sizeBytes);
    indexesDirty = true;
    addTimeEntry();
  }

  /** Adds the largest timestamp so far unless the time index has it; timestamps there only grow. */
  private synchronized void addTimeEntry() throws IOException {
    SegmentIndex times = timeIndex();
    if (maxTimestamp >= 0
        && (times.count() == 0 || maxTimestamp > times.timestamp(times.count() - 1))) {
      timeIndex = times.withTimestamp(maxTimestamp, (int) (offsetOfMaxTimestamp - baseOffset));
      indexesDirty = true;
    }
  }

  /** No more appends: the time index gets its last entry; a flush will write the indexes. */
  void seal() throws IOException {
    addTimeEntry();
    sealed = true;
  }

  /** Takes up appending again, after opening or truncating: the index goes onto the heap. */
  synchronized void unseal(SegmentIndex offsets, SegmentIndex times) {
    offsetIndex = offsets;
    timeIndex = times;
    sealed = false;
  }

  /** Forgets both indexes, to build them anew with noteBatch. */
  synchronized void resetIndexes() {
    offsetIndex = SegmentIndex.empty(SegmentIndex.Kind.OFFSET);
    timeIndex = SegmentIndex.empty(SegmentIndex.Kind.TIME);
    bytesSinceIndexEntry = 0;
    maxTimestamp = Long.MIN_VALUE;
    offsetOfMaxTimestamp = baseOffset;
    firstTimestamp = Long.MIN_VALUE;
    indexesDirty = true;
  }

  /** Forgets the contents, to account for them anew with noteBatch. */
  void rewind() throws IOException {
    TransactionIndex aborted = transactions;
    if (aborted != null) {
      aborted.truncateTo(baseOffset);
    }
    resetSize();
  }

  /** Forgets size and indexes, to account for the batches anew with noteBatch. */
  void resetSize() {
    sizeBytes = 0;
    hints.clear();
    resetIndexes();
  }

  /** Cuts the file to the size accounted for. */
  void trimFile() throws IOException {
    channel().truncate(sizeBytes);
  }

  /**
   * Cuts everything from a batch on. Index entries of what is cut go; views published earlier keep
   * theirs.
   *
   * @param position where that batch begins
   * @param offset its base offset
   */
  synchronized void truncate(int position, long offset) throws IOException {
    SegmentIndex offsets = offsetIndex();
    SegmentIndex times = timeIndex();
    int keptOffsets = offsets.floorByOffset(offset - 1 - baseOffset) + 1;
    int keptTimes = times.count();
    while (keptTimes > 0 && times.relativeOffset(keptTimes - 1) >= offset - baseOffset) {
      keptTimes--;
    }
    SegmentIndex newOffsets = offsets.truncated(keptOffsets);
    SegmentIndex newTimes = times.truncated(keptTimes);
    hints.clear();
    channel().truncate(position);
    sizeBytes = position;
    TransactionIndex aborted = transactions;
    if (aborted != null) {
      aborted.truncateTo(offset);
    }
    unseal(newOffsets, newTimes);
    indexesDirty = true;
    restoreCounters();
  }

  /**
   * Works out what the owner keeps besides the indexes (largest timestamp, bytes since the last
   * entry) from the indexes and the headers after their last entries.
   *
   * @return offset after the last batch, or the base offset of an empty segment
   */
  long restoreCounters() throws IOException {
    SegmentIndex offsets = offsetIndex();
    SegmentIndex times = timeIndex();
    maxTimestamp = times.count() == 0 ? Long.MIN_VALUE : times.timestamp(times.count() - 1);
    offsetOfMaxTimestamp =
        baseOffset + (times.count() == 0 ? 0 : times.relativeOffset(times.count() - 1));
    firstTimestamp = Long.MIN_VALUE;
    bytesSinceIndexEntry = 0;
    int from = offsets.count() == 0 ? 0 : offsets.position(offsets.count() - 1);
    long nextOffset = baseOffset;
    BatchScanner scanner = BatchScanner.headers(channel(), from, sizeBytes);
    for (BatchHeader batch = scanner.next(); batch != null; batch = scanner.next()) {
      if (batch.maxTimestamp() > maxTimestamp) {
        maxTimestamp = batch.maxTimestamp();
        offsetOfMaxTimestamp = batch.lastOffset();
      }
      bytesSinceIndexEntry += batch.sizeBytes();
      nextOffset = batch.nextOffset();
    }
    if (scanner.fault() != null) {
      throw new DamagedRecordsException(this, scanner.fault());
    }
    return nextOffset;
  }

  /** The first batch's timestamp, from which {@code segment.ms} counts; min value when empty. */
  long firstTimestamp() throws IOException {
    if (firstTimestamp == Long.MIN_VALUE && sizeBytes > 0) {
      BatchHeader first = BatchScanner.headers(channel(), 0, sizeBytes).next();
      firstTimestamp = first == null ? Long.MIN_VALUE : first.maxTimestamp();
    }
    return firstTimestamp;
  }

  long createdMs() {
    return createdMs;
  }

  /** Largest timestamp so far of a segment being appended to; min value when there is none. */
  long maxTimestampSoFar() {
    return maxTimestamp;
  }

  long offsetOfMaxTimestampSoFar() {
    return offsetOfMaxTimestamp;
  }

  /** Largest timestamp of a sealed segment; of its file where no record has one. */
  long largestTimestamp() throws IOException {
    SegmentIndex times = timeIndex();
    if (!sealed && maxTimestamp >= 0) {
      return maxTimestamp;
    }
    return times.count() == 0
        ? Files.getLastModifiedTime(path(LogFiles.LOG)).toMillis()
        : times.timestamp(times.count() - 1);
  }

  // ---- flushing, closing, deleting

  /**
   * Forces the log file, and once sealed the indexes: a crash has the active segment scanned
   * anyway. May run beside appends.
   *
   * @throws FileGoneException when what has been forced is no longer in the directory
   */
  void flush() throws IOException {
    boolean withIndexes = sealed;
    FileChannel forced = channel();
    try {
      forced.force(false);
    } catch (IOException e) {
      if (isDisposed) {
        // Retention was quicker: there is nothing left to keep.
        return;
      }
      throw new ForceFailedException(file(), e);
    }
    checkInPlace();
    if (withIndexes) {
      TransactionIndex aborted = transactions;
      if (aborted != null) {
        aborted.flush();
      }
      writeIndexes(true);
    }
  }

  /** Writes the index files when they are behind; a sealed segment's leave the heap. */
  synchronized void writeIndexes(boolean force) throws IOException {
    if (indexesDirty && !isDisposed) {
      offsetIndex().writeTo(path(LogFiles.OFFSET_INDEX), force);
      timeIndex().writeTo(path(LogFiles.TIME_INDEX), force);
      indexesDirty = false;
      if (sealed) {
        offsetIndex = null;
        timeIndex = null;
      }
    }
  }

  /** Writes the indexes and closes the file. */
  void close() throws IOException {
    addTimeEntry();
    writeIndexes(true);
    TransactionIndex aborted = transactions;
    if (aborted != null) {
      aborted.close();
    }
    FileChannel open = channel;
    if (open != null) {
      open.close();
    }
  }

  /** Closes what is open, for files that are about to be deleted. */
  void closeQuietly() throws IOException {
    TransactionIndex aborted = transactions;
    if (aborted != null) {
      aborted.close();
    }
    FileChannel open = channel;
    if (open != null) {
      open.close();
    }
  }

  /** The directory has got another name. */
  void movedTo(Path newDirectory) {
    directory = newDirectory;
  }

  /**
   * The log goes on with other files: nobody looks for these in the directory any more, nor writes
   * their indexes. Readers of earlier views go on.
   */
  synchronized void retire() {
    isDisposed = true;
  }

  /** Renames every file of the segment; readers of earlier views go on with what is open. */
  synchronized void rename(String newSuffix) throws IOException {
    openChannel();
    offsetIndex();
    timeIndex();
    TransactionIndex aborted = transactions;
    if (aborted != null) {
      aborted.renameTo(
          LogFiles.file(directory, baseOffset, LogFiles.TRANSACTION_INDEX + newSuffix));
    }
    for (String kind : new String[] {LogFiles.LOG, LogFiles.OFFSET_INDEX, LogFiles.TIME_INDEX}) {
      Path from = path(kind);
      if (Files.exists(from)) {
        Files.move(
            from,
            LogFiles.file(directory, baseOffset, kind + newSuffix),
            StandardCopyOption.ATOMIC_MOVE,
            StandardCopyOption.REPLACE_EXISTING);
      }
    }
    suffix = newSuffix;
  }

  /** Removes the files and closes the channel: readers of earlier views fail from now on. */
  synchronized void dispose() throws IOException {
    isDisposed = true;
    TransactionIndex aborted = transactions;
    if (aborted != null) {
      aborted.delete();
    }
    for (String kind : new String[] {LogFiles.LOG, LogFiles.OFFSET_INDEX, LogFiles.TIME_INDEX}) {
      Files.deleteIfExists(path(kind));
    }
    FileChannel open = channel;
    if (open != null) {
      open.close();
    }
  }

  private Path path(String kind) {
    return LogFiles.file(directory, baseOffset, kind + suffix);
  }

  @Override
  public String toString() {
    return file().toString();
  }
}
