package io.milena.journal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The events of all persistent actors of a node, in one sequence of segment files. One thread
 * writes: it takes everything that waits, writes it with one call and makes it durable with one
 * flush (group commit); only then are the writes answered. Any thread may call.
 *
 * <p>A write for which there is no space is refused and taken back: the journal goes on, and the
 * next write may find space. Any other failure leaves it unknown what is on the disk, so after one
 * every request is refused until the journal is opened anew. A segment is deleted once nothing in
 * it is live.
 */
final class EventJournal implements Closeable {
  /** Requests that may wait for the writer; more are refused. An actor has one at a time. */
  static final int WAITING_MAX = 65_536;

  /** Requests taken at a time: an upper bound for what one flush has to carry. */
  private static final int GROUP_MAX = 1_024;

  /** Frames read at a time, so that a long replay does not keep writers waiting. */
  private static final int REPLAY_FRAMES = 64;

  /** Some hundred changes of metadata, each of 100 to 300 bytes. */
  static final int RESERVE_BYTES = 128 << 10;

  private static final Logger LOG = LoggerFactory.getLogger(EventJournal.class);

  /** Something for the writer thread to do. */
  private sealed interface Request {
    CompletableFuture<?> reply();
  }

  private record Write(
      JournalFrame.Events frame, ByteBuffer encoded, CompletableFuture<@Nullable Void> reply)
      implements Request {}

  private record Delete(String persistenceId, long to, CompletableFuture<@Nullable Void> reply)
      implements Request {}

  private record Query(QueryAction action, CompletableFuture<?> reply) implements Request {}

  private record Stop(CompletableFuture<@Nullable Void> reply) implements Request {}

  /** Nothing of the write is in the journal. */
  private static final class NoSpaceException extends IOException {
    private static final long serialVersionUID = 1;

    NoSpaceException(IOException cause) {
      super("no space is left on the device", cause);
    }
  }

  private interface QueryAction {
    void run() throws IOException;
  }

  private final Path directory;
  private final int segmentBytes;
  private final Disk disk;
  private final FileChannel lockChannel;
  private final LinkedBlockingQueue<Request> waiting = new LinkedBlockingQueue<>(WAITING_MAX);
  private final JournalIndex index = new JournalIndex();
  private final List<JournalSegment> sealed = new ArrayList<>();
  private JournalSegment active;
  private volatile @Nullable IOException failure;
  private final CompletableFuture<IOException> failed = new CompletableFuture<>();
  private volatile boolean isClosed;

  /** The last write found no space. The writer's alone. */
  private boolean isFull;

  /** There was no space for the reserve. The writer's alone. */
  private boolean isShort;

  private final Thread writer;

  /**
   * Opens a journal: reads its segments and cuts off a torn last write.
   *
   * @param segmentBytes size from which on a new segment is begun
   * @throws JournalDamagedException where a segment other than the last is damaged
   */
  EventJournal(Path directory, int segmentBytes, Disk disk) throws IOException {
    this.directory = Files.createDirectories(directory);
    this.segmentBytes = segmentBytes;
    this.disk = disk;
    lockChannel = lock(directory);
    try {
      active = load();
    } catch (IOException | RuntimeException e) {
      lockChannel.close();
      throw e;
    }
    writer = Thread.ofPlatform().daemon().name("milena-journal-writer").unstarted(this::writeLoop);
    writer.start();
  }

  /** Appends events, all or none; done when they are durable. */
  CompletableFuture<@Nullable Void> write(String persistenceId, List<StoredEvent> events) {
    var reply = new CompletableFuture<@Nullable Void>();
    var frame = new JournalFrame.Events(persistenceId, List.copyOf(events));
    enqueue(new Write(frame, frame.encode(), reply));
    return reply;
  }

  /** Deletes events up to one, inclusive; done when that is durable. */
  CompletableFuture<@Nullable Void> deleteTo(String persistenceId, long to) {
    var reply = new CompletableFuture<@Nullable Void>();
    enqueue(new Delete(persistenceId, to, reply));
    return reply;
  }

  /** The highest sequence number ever used, 0 for none; after all writes that came before. */
  CompletableFuture<Long> highest(String persistenceId) {
    var reply = new CompletableFuture<Long>();
    enqueue(new Query(() -> reply.complete(index.highest(persistenceId)), reply));
    return reply;
  }

  /**
   * Hands out events in order, on other threads than the writer's.
   *
   * @param from inclusive
   * @param to inclusive
   * @param countMax at most so many
   */
  CompletableFuture<@Nullable Void> replay(
      String persistenceId, long from, long to, long countMax, Consumer<StoredEvent> consumer) {
    if (from > to || countMax <= 0) {
      return CompletableFuture.completedFuture(null);
    }
    var page = new CompletableFuture<List<StoredEvent>>();
    enqueue(new Query(() -> page.complete(read(persistenceId, from, to)), page));
    return page.thenComposeAsync(events -> {
      long left = countMax;
      long next = from;
      for (StoredEvent event : events) {
        if (left == 0) {
          break;
        }
        consumer.accept(event);
        next = event.sequenceNumber() + 1;
        left--;
      }
      return events.isEmpty()
          ? CompletableFuture.completedFuture(null)
          : replay(persistenceId, next, to, left, consumer);
    });
  }

  /** Waits for what was asked before, then lets go of the files. */
  @Override
  public void close() {
    if (isClosed) {
      return;
    }
    var reply = new CompletableFuture<@Nullable Void>();
    isClosed = true;
    try {
      waiting.put(new Stop(reply));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return;
    }
    reply.join();
  }

  private void enqueue(Request request) {
    IOException cause = failure;
    if (cause != null) {
      request.reply().completeExceptionally(failed(cause));
    } else if (isClosed) {
      request
          .reply()
          .completeExceptionally(new IllegalStateException("Journal " + directory + " is closed"));
    } else if (!waiting.offer(request)) {
      request
          .reply()
          .completeExceptionally(
              new IllegalStateException(
                  WAITING_MAX + " requests wait for journal " + directory + ": too slow a disk?"));
    }
  }

  private void writeLoop() {
    var group = new ArrayList<Request>();
    boolean isStopping = false;
    while (!isStopping) {
      group.clear();
      try {
        group.add(waiting.take());
      } catch (InterruptedException _) {
        continue;
      }
      waiting.drainTo(group, GROUP_MAX - 1);
      isStopping = serve(group);
    }
  }

  /** Serves a group; says whether it held the request to stop. */
  private boolean serve(List<Request> group) {
    IOException earlier = failure;
    try {
      if (earlier != null) {
        refuse(group, earlier);
      } else {
        commit(group);
      }
      for (Request request : group) {
        switch (request) {
          case Write(_, _, var reply) -> reply.complete(null);
          case Delete(_, _, var reply) -> reply.complete(null);
          case Query query -> answer(query);
          case Stop _ -> {}
        }
      }
      if (earlier == null && group.stream().anyMatch(Delete.class::isInstance)) {
        reclaim();
      }
    } catch (NoSpaceException e) {
      refuseForNow(group, e);
    } catch (IOException | RuntimeException | Error e) {
      // Even an Error: a writer that ended silently would leave every later request waiting.
      fail(group, e instanceof IOException io ? io : new IOException(e));
    }
    for (Request request : group) {
      if (request instanceof Stop(var reply)) {
        closeFiles();
        var late = new ArrayList<Request>();
        waiting.drainTo(late);
        refuse(late, new IOException("closed"));
        reply.complete(null);
        return true;
      }
    }
    return false;
  }

  private void commit(List<Request> group) throws IOException {
    var frames = new ArrayList<JournalFrame>();
    var encoded = new ArrayList<ByteBuffer>();
    for (Request request : group) {
      switch (request) {
        case Write(var frame, var bytes, _) -> {
          frames.add(frame);
          encoded.add(bytes);
        }
        case Delete(String id, long to, _) -> {
          long highest = highestWith(frames, id);
          var deletion = new JournalFrame.Deletion(id, Math.min(to, highest), highest);
          frames.add(deletion);
          encoded.add(deletion.encode());
        }
        case Query _, Stop _ -> {}
      }
    }
    append(frames, encoded);
  }

  /** The highest sequence number, including what is about to be written. */
  private long highestWith(List<JournalFrame> frames, String persistenceId) {
    long highest = index.highest(persistenceId);
    for (JournalFrame frame : frames) {
      if (frame instanceof JournalFrame.Events(String id, var events) && id.equals(persistenceId)) {
        highest = Math.max(highest, events.getLast().sequenceNumber());
      }
    }
    return highest;
  }

  private void append(List<? extends JournalFrame> frames, List<ByteBuffer> encoded)
      throws IOException {
    if (frames.isEmpty()) {
      return;
    }
    if (keepReserve() && active.sizeBytes() >= segmentBytes) {
      roll();
    }
    var locations = write(encoded.toArray(ByteBuffer[]::new));
    disk.force(active.channel());
    if (isFull) {
      isFull = false;
      LOG.info("Journal {} has space again and goes on", directory);
    }
    for (int i = 0; i < locations.length; i++) {
      index.add(frames.get(i), locations[i]);
    }
  }

  /**
   * Sees to it that there is a reserve: what frees a full disk, such as the deletion of a topic,
   * has to be written first (etcd preallocates its log for the same reason).
   *
   * @return false when there is no space for it: no new segment can be begun either
   */
  private boolean keepReserve() throws IOException {
    if (active.reservedBytes() >= RESERVE_BYTES / 2) {
      return true;
    }
    try {
      active.reserve(RESERVE_BYTES);
      isShort = false;
      return true;
    } catch (IOException e) {
      if (!Disk.isFull(e)) {
        throw e;
      }
      if (!isShort) {
        isShort = true;
        LOG.warn(
            "Journal {} finds no space and goes on with {} bytes it had reserved, which are meant"
                + " for deleting topics or shortening their retention",
            directory,
            active.reservedBytes());
      }
      return false;
    }
  }

  /** Writes frames at the end, not yet forced; where there is no space, leaves no part of them. */
  private JournalSegment.Location[] write(ByteBuffer[] encoded) throws IOException {
    long sizeBefore = active.sizeBytes();
    try {
      return active.append(encoded);
    } catch (IOException e) {
      if (!Disk.isFull(e)) {
        throw e;
      }
      // What was written is only in the page cache and unread: cutting it off leaves no doubt.
      active.truncate(sizeBefore);
      throw new NoSpaceException(e);
    }
  }

  private void roll() throws IOException {
    active.trim();
    disk.force(active.channel());
    JournalSegment next;
    try {
      next = JournalSegment.open(directory, active.number() + 1);
    } catch (IOException e) {
      throw Disk.isFull(e) ? new NoSpaceException(e) : e;
    }
    disk.forceDirectory(directory);
    sealed.add(active);
    active = next;
    keepReserve();
  }

  /** Deletes sealed segments without anything live, after saving the notes that only they hold. */
  private void reclaim() throws IOException {
    for (JournalSegment segment : List.copyOf(sealed)) {
      if (segment.liveFrames == 0) {
        List<JournalFrame.Deletion> deletions = index.deletionsIn(segment);
        append(deletions, deletions.stream().map(JournalFrame::encode).toList());
        sealed.remove(segment);
        segment.delete();
      }
    }
  }

  private List<StoredEvent> read(String persistenceId, long from, long to) throws IOException {
    var found = new ArrayList<StoredEvent>();
    long first = Math.max(from, index.deletedTo(persistenceId) + 1);
    for (var location : index.locate(persistenceId, first, REPLAY_FRAMES)) {
      if (location.segment().read(location) instanceof JournalFrame.Events(_, var events)) {
        for (StoredEvent event : events) {
          if (event.sequenceNumber() >= first && event.sequenceNumber() <= to) {
            found.add(event);
          }
        }
      }
    }
    return found;
  }

  private void answer(Query query) {
    try {
      query.action().run();
    } catch (IOException | RuntimeException e) {
      // A frame that cannot be read concerns its own actor only.
      query.reply().completeExceptionally(e);
    }
  }

  private void refuseForNow(List<Request> group, NoSpaceException cause) {
    if (!isFull) {
      isFull = true;
      LOG.error("Journal {} cannot be written until there is space: free some", directory);
    }
    for (Request request : group) {
      if (request instanceof Query query) {
        answer(query);
      } else if (!(request instanceof Stop)) {
        request
            .reply()
            .completeExceptionally(
                new IllegalStateException("Journal " + directory + " finds no space", cause));
      }
    }
  }

  /** Completes with the failure once the journal refuses everything, but for lack of space. */
  CompletionStage<IOException> failed() {
    return failed;
  }

  private void fail(List<Request> group, IOException cause) {
    failure = cause;
    failed.complete(cause);
    LOG.error("Journal {} cannot be written and refuses everything from now on", directory, cause);
    refuse(group, cause);
  }

  private void refuse(List<Request> group, IOException cause) {
    group.stream()
        .filter(request -> !(request instanceof Stop))
        .forEach(request -> request.reply().completeExceptionally(failed(cause)));
  }

  private IllegalStateException failed(IOException cause) {
    return new IllegalStateException(
        "Journal " + directory + " could not be written; restart the node once its disk works",
        cause);
  }

  private JournalSegment load() throws IOException {
    List<Long> numbers = JournalSegment.numbersIn(directory);
    for (long number : numbers) {
      boolean isLast = number == numbers.getLast();
      JournalSegment segment = JournalSegment.open(directory, number);
      long intactBytes = segment.scan(index::add);
      if (isLast && segment.isZeroFrom(intactBytes)) {
        segment.endsAt(intactBytes);
      } else if (intactBytes < segment.sizeBytes()) {
        if (!isLast) {
          throw new JournalDamagedException(
              segment.file()
                  + " is damaged at byte "
                  + intactBytes
                  + ": restore this node's data from another replica");
        }
        LOG.warn(
            "{}: dropped {} bytes of a write that was cut off and never acknowledged",
            segment.file(),
            segment.sizeBytes() - intactBytes);
        segment.truncate(intactBytes);
        disk.force(segment.channel());
      }
      if (isLast) {
        return segment;
      }
      sealed.add(segment);
    }
    JournalSegment first = JournalSegment.open(directory, 1);
    disk.forceDirectory(directory);
    return first;
  }

  private void closeFiles() {
    try {
      for (JournalSegment segment : sealed) {
        segment.close();
      }
      active.trim();
      active.close();
      lockChannel.close();
    } catch (IOException e) {
      LOG.warn("Closing journal {} failed", directory, e);
    }
  }

  private static FileChannel lock(Path directory) throws IOException {
    FileChannel channel =
        FileChannel.open(
            directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      FileLock lock = channel.tryLock();
      if (lock != null) {
        return channel;
      }
    } catch (OverlappingFileLockException _) {
      // Held by this process: refused as if by another.
    }
    channel.close();
    throw new IOException(
        "Journal "
            + directory
            + " is in use by another process: stop it, or use another directory");
  }
}
