package io.milena.wire;

import io.milena.wire.handler.ApiHandler;
import io.milena.wire.handler.ConnectionContext;
import io.milena.wire.handler.MalformedFrameException;
import io.milena.wire.handler.PrivateAnswer;
import io.milena.wire.handler.PrivateApi;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.util.ArrayDeque;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.requests.RequestHeader;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client connection: frames in, answers out in the order of the requests. Lives on one event
 * loop; every method but the constructor runs on its thread.
 *
 * <p>Frames are served where they were read, in the buffer that the loop's connections share. What
 * cannot be served yet is copied to {@link #held}: a frame that is incomplete, or all that was read
 * behind a request that must be answered first. While whole frames are held, or the peer does not
 * take its answers, the socket is not read; so at most one read's bytes, or one frame, wait here.
 *
 * <p>A request is started only when all unanswered ones before it are Produce and it is one too:
 * producers rely on pipelining, and everything else keeps Kafka's one request at a time. A private
 * request without an answer is started behind anything.
 */
final class Connection {
  /** Produce requests of a connection that may be unanswered; more wait unread. */
  static final int IN_FLIGHT_MAX = 128;

  /** How much is read at once while the node's request memory is used up. */
  static final int EXHAUSTED_READ_BYTES = 16 * 1024;

  /** Held bytes up to this many are joined with the next ones by a copy rather than a gathering. */
  private static final int JOIN_BYTES_MAX = 1024;

  /** A request smaller than this is copied rather than keeping the shared read buffer waiting. */
  private static final int COPY_BYTES_MAX = 16 * 1024;

  /** Writable events in a row without progress, after which a file region must be cut short. */
  private static final int STALLED_WRITES_MAX = 16;

  private static final int SIZE_FIELD_BYTES = 4;

  private static final Logger log = LoggerFactory.getLogger("io.milena.wire");

  final NetworkLoop loop;
  final long id;
  final InetSocketAddress peer;
  final String listenerName;
  private final Transport transport;
  private final SelectionKey key;
  private final ArrayDeque<InFlightRequest<?>> inFlight = new ArrayDeque<>();
  private final OutputQueue output = new OutputQueue();

  /** Bytes read and not served, from {@link #heldFrom} to {@link #heldTo}, exclusive. */
  private @Nullable PooledBuffer held;

  private int heldFrom;
  private int heldTo;

  /** What a handler has left for the next requests. */
  ConnectionContext.@Nullable Attachment attachment;

  private boolean awaitingMemory;
  private boolean draining;
  private boolean closed;
  private boolean dirty;
  private boolean lastProduceWaited;
  private int stalledWrites;
  private long lastActiveNanos;

  Connection(
      NetworkLoop loop,
      long id,
      InetSocketAddress peer,
      String listenerName,
      Transport transport,
      SelectionKey key) {
    this.loop = loop;
    this.id = id;
    this.peer = peer;
    this.listenerName = listenerName;
    this.transport = transport;
    this.key = key;
    this.lastActiveNanos = loop.nowNanos();
  }

  boolean isClosed() {
    return closed;
  }

  boolean isIdleSince(long nanos) {
    return inFlight.isEmpty() && lastActiveNanos - nanos <= 0;
  }

  void onReady() {
    try {
      if (!key.isValid()) {
        close();
        return;
      }
      int ready = key.readyOps();
      if ((ready & SelectionKey.OP_WRITE) != 0) {
        onWritable();
      }
      if ((ready & SelectionKey.OP_READ) != 0 && !closed) {
        onReadable();
      }
    } catch (IOException e) {
      // A reset or a broken pipe: the peer is gone, which is no news.
      log.debug("Connection {} of {} ended: {}", id, peer, e.getMessage());
      close();
    } catch (RuntimeException | Error e) {
      // Even an Error: the other connections of this loop have no part in it.
      log.error("Connection {} of {} is closed: serving it failed", id, peer, e);
      close();
    }
  }

  private void onReadable() throws IOException {
    boolean exhausted = loop.pool.isExhausted();
    if (exhausted && !inFlight.isEmpty()) {
      awaitMemory();
      return;
    }
    PooledBuffer shared = loop.readBuffer();
    ByteBuffer target = shared.bytes.clear();
    if (exhausted) {
      target.limit(EXHAUSTED_READ_BYTES);
    }
    PooledBuffer partial = held;
    long count;
    if (partial == null) {
      count = transport.read(target);
    } else if (heldTo - heldFrom <= JOIN_BYTES_MAX) {
      target.put(0, partial.bytes, heldFrom, heldTo - heldFrom).position(heldTo - heldFrom);
      count = transport.read(target);
      if (count > 0) {
        dropHeld();
        partial = null;
      }
    } else {
      int frameEnd = heldFrom + SIZE_FIELD_BYTES + partial.bytes.getInt(heldFrom);
      ByteBuffer tail = partial.bytes.limit(frameEnd).position(heldTo);
      boolean servedNext = mayStart(partial.bytes.getShort(heldFrom + SIZE_FIELD_BYTES));
      count = servedNext ? transport.read(tail, target) : transport.read(tail);
      heldTo = tail.position();
    }
    if (count < 0) {
      close();
      return;
    }
    if (count == 0) {
      return;
    }
    loop.metrics.bytesIn.add(count);
    lastActiveNanos = loop.nowNanos();
    if (partial != null) {
      serveHeld();
    }
    int sharedEnd = target.position();
    if (!closed && sharedEnd > 0 && (partial == null || held == null)) {
      serve(shared, 0, sharedEnd);
    }
    loop.renewReadBufferIfKept();
    flush();
    updateInterest();
  }

  /** Serves what is held, if its first frame is complete and may start. */
  private void serveHeld() {
    PooledBuffer source = held;
    if (source == null || !frontIsServable(source)) {
      return;
    }
    int from = heldFrom;
    int to = heldTo;
    held = null;
    try {
      serve(source, from, to);
    } finally {
      source.release();
    }
  }

  private boolean frontIsServable(PooledBuffer source) {
    if (heldTo - heldFrom < SIZE_FIELD_BYTES) {
      return false;
    }
    int size = source.bytes.getInt(heldFrom);
    return size < Short.BYTES
        || (heldTo - heldFrom - SIZE_FIELD_BYTES >= size
            && mayStart(source.bytes.getShort(heldFrom + SIZE_FIELD_BYTES)));
  }

  /** Serves every whole frame from {@code from} to {@code to}; what is left is held. */
  private void serve(PooledBuffer source, int from, int to) {
    ByteBuffer bytes = source.bytes;
    int next = from;
    int neededBytes = 0;
    while (to - next >= SIZE_FIELD_BYTES) {
      int size = bytes.getInt(next);
      if (size < 0 || size > loop.config.requestMaxBytes()) {
        refuse(
            "a frame of "
                + size
                + " bytes; socket.request.max.bytes is "
                + loop.config.requestMaxBytes()
                + ForeignProtocol.hint(size));
        return;
      }
      if (to - next - SIZE_FIELD_BYTES < size) {
        neededBytes = SIZE_FIELD_BYTES + size;
        break;
      }
      if (size >= Short.BYTES && !mayStart(bytes.getShort(next + SIZE_FIELD_BYTES))) {
        break;
      }
      start(source, next + SIZE_FIELD_BYTES, size);
      if (closed) {
        return;
      }
      next += SIZE_FIELD_BYTES + size;
    }
    if (next < to && !draining) {
      if (source != loop.readBuffer() && next + neededBytes <= bytes.capacity()) {
        held = source.retain();
        heldFrom = next;
        heldTo = to;
      } else {
        hold(bytes, next, to, neededBytes);
      }
    }
  }

  private boolean mayStart(short apiId) {
    if (draining || !output.isEmpty()) {
      return false;
    }
    if (inFlight.isEmpty()) {
      return true;
    }
    if (PrivateApi.isPrivate(apiId)) {
      return loop.dispatcher.isOneWay(apiId);
    }
    // Unanswered requests are all Produce or there is only one: looking at the first is enough.
    return apiId == ApiKeys.PRODUCE.id
        && inFlight.getFirst().isProduce()
        && inFlight.size() < IN_FLIGHT_MAX;
  }

  private void start(PooledBuffer source, int from, int sizeBytes) {
    RequestHeader header = null;
    try {
      ByteBuffer frame = source.bytes.limit(from + sizeBytes).position(from);
      if (sizeBytes >= Short.BYTES && PrivateApi.isPrivate(frame.getShort(from))) {
        startPrivate(frame);
        return;
      }
      header = Dispatcher.header(frame);
      ApiKeys api = header.apiKey();
      ApiHandler handler = loop.dispatcher.handler(api);
      if (handler == null) {
        throw new MalformedFrameException("the API is not served here");
      }
      loop.metrics.countRequest(api);
      if (header.apiVersion() < handler.minVersion()
          || header.apiVersion() > handler.maxVersion()) {
        answerUnsupportedVersion(header, handler);
        return;
      }
      boolean views = api.requiresDelayedAllocation;
      if (views && mayWait(api, sizeBytes)) {
        PooledBuffer copy = loop.pool.acquire(sizeBytes);
        try {
          ByteBuffer own = copy.bytes.clear().put(0, source.bytes, from, sizeBytes);
          own.limit(sizeBytes).position(frame.position() - from);
          start(header, handler, Dispatcher.body(header, own), copy);
        } finally {
          copy.release();
        }
      } else {
        start(header, handler, Dispatcher.body(header, frame), views ? source : null);
      }
    } catch (MalformedFrameException e) {
      refuse(
          header == null
              ? "a frame of " + sizeBytes + " bytes: " + e.getMessage()
              : header.apiKey().name + " v" + header.apiVersion() + ": " + e.getMessage());
    } finally {
      source.bytes.clear();
    }
  }

  private void startPrivate(ByteBuffer frame) throws MalformedFrameException {
    if (frame.remaining() < PrivateRequest.HEADER_BYTES) {
      throw new MalformedFrameException("no header of a private API");
    }
    short key = frame.getShort();
    short version = frame.getShort();
    int correlationId = frame.getInt();
    PrivateApi api = loop.dispatcher.privateApi(key);
    if (api == null) {
      throw new MalformedFrameException("the private API " + key + " is not served here");
    }
    if (version < api.minVersion() || version > api.maxVersion()) {
      throw new MalformedFrameException(
          "%s v%d: versions %d to %d are served"
              .formatted(api.name(), version, api.minVersion(), api.maxVersion()));
    }
    PrivateRequest request = new PrivateRequest(this, api, version, correlationId);
    request.start(frame);
    if (!api.isOneWay()) {
      started(request);
    } else if (request.failure != null) {
      log.error("Connection {} of {} is closed: {} failed", id, peer, request, request.failure);
      close();
    }
  }

  /** Whether the answer is likely not to be known at once, so that a copy keeps less memory. */
  private boolean mayWait(ApiKeys api, int sizeBytes) {
    return api != ApiKeys.PRODUCE || (lastProduceWaited && sizeBytes < COPY_BYTES_MAX);
  }

  private void start(
      RequestHeader header, ApiHandler handler, ApiMessage body, @Nullable PooledBuffer views) {
    Request request = new Request(this, header, body);
    request.start(handler, views);
    if (header.apiKey() == ApiKeys.PRODUCE) {
      lastProduceWaited = !request.complete;
    }
    started(request);
  }

  private void started(InFlightRequest<?> request) {
    if (request.complete && inFlight.isEmpty()) {
      answer(request);
    } else if (closed) {
      request.connectionClosed();
    } else {
      inFlight.addLast(request);
    }
  }

  private void answerUnsupportedVersion(RequestHeader header, ApiHandler handler)
      throws MalformedFrameException {
    ApiMessage answer = handler.answerToUnsupportedVersion();
    if (answer == null) {
      throw new MalformedFrameException(
          "versions %d to %d are served".formatted(handler.minVersion(), handler.maxVersion()));
    }
    loop.batch.add(header.correlationId(), (short) 0, answer, (short) 0);
  }

  /** Called on the loop's thread when the answer to a request has become known. */
  void answerReady() {
    if (!dirty && !closed) {
      dirty = true;
      loop.addDirty(this);
    }
  }

  /** Answers what can be answered, and goes on with what waited for that. */
  void pump() {
    dirty = false;
    if (closed) {
      return;
    }
    try {
      answerCompleted();
      if (!closed) {
        serveHeld();
        loop.renewReadBufferIfKept();
      }
      flush();
      updateInterest();
    } catch (IOException e) {
      log.debug("Connection {} of {} ended: {}", id, peer, e.getMessage());
      close();
    } catch (RuntimeException | Error e) {
      log.error("Connection {} of {} is closed: serving it failed", id, peer, e);
      close();
    }
  }

  private void answerCompleted() {
    while (!closed && output.isEmpty()) {
      InFlightRequest<?> first = inFlight.peekFirst();
      if (first == null || !first.complete) {
        return;
      }
      inFlight.removeFirst();
      answer(first);
    }
  }

  private void answer(InFlightRequest<?> request) {
    try {
      String reason = request.closeReason;
      if (reason != null) {
        closeWithWarning(request + ": " + reason);
        return;
      }
      switch (request) {
        case Request kafka -> answer(kafka);
        case PrivateRequest own -> answer(own);
      }
    } catch (IOException e) {
      close();
    } catch (RuntimeException e) {
      log.error("Connection {} of {} is closed: {} could not be answered", id, peer, request, e);
      close();
    } finally {
      request.releaseBytes();
    }
  }

  private void answer(Request request) throws IOException {
    loop.metrics.countAnswer(request.header.apiKey(), loop.nanosSince(request.readNanos));
    Throwable failure = request.failure;
    ApiMessage response = request.response;
    if (failure != null) {
      response = errorResponse(request, failure);
      if (response == null) {
        flush();
        close();
        return;
      }
    }
    if (response != null) {
      RequestHeader header = request.header;
      short version = header.apiVersion();
      loop.batch.add(
          header.correlationId(),
          header.apiKey().responseHeaderVersion(version),
          response,
          version);
      if (loop.batch.isFull()) {
        flush();
      }
    }
  }

  private void answer(PrivateRequest request) throws IOException {
    PrivateAnswer answer = request.response;
    if (answer == null) {
      log.error("Connection {} of {} is closed: {} failed", id, peer, request, request.failure);
      flush();
      close();
      return;
    }
    loop.batch.add(request.correlationId, answer);
    if (loop.batch.isFull()) {
      flush();
    }
  }

  /** What a failed request is answered with; null, and logged, when there is no such answer. */
  private @Nullable ApiMessage errorResponse(Request request, Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    boolean wantsNone = request.body instanceof ProduceRequestData produce && produce.acks() == 0;
    if (cause instanceof ApiException && wantsNone) {
      loop.peerLog.warn(
          peer.getHostString(),
          "Connection of %s is closed, because a producer with acks=0 hears of a failure only so: %s"
              .formatted(peer, cause.getMessage()));
      return null;
    }
    if (cause instanceof ApiException) {
      ApiMessage response = Dispatcher.errorResponse(request.header, request.body, cause);
      if (response != null) {
        return response;
      }
    }
    log.error("Connection {} of {} is closed: {} failed", id, peer, request, cause);
    return null;
  }

  /** Keeps what cannot be served yet; {@code neededBytes} of the frame it begins, 0 if whole. */
  private void hold(ByteBuffer bytes, int from, int to, int neededBytes) {
    int count = to - from;
    PooledBuffer buffer = loop.pool.tryAcquire(Math.max(count, neededBytes));
    if (buffer == null) {
      // Outside the budget, or what waits for memory could itself use it up for good.
      buffer = loop.pool.acquireUncharged(count);
      awaitMemory();
    }
    buffer.bytes.put(0, bytes, from, count);
    held = buffer;
    heldFrom = 0;
    heldTo = count;
  }

  private void dropHeld() {
    PooledBuffer buffer = held;
    held = null;
    if (buffer != null) {
      buffer.release();
    }
  }

  /** Stops reading until the node's request memory has room. */
  private void awaitMemory() {
    if (!awaitingMemory) {
      awaitingMemory = true;
      updateInterest();
      // Through the queue even when there is room at once: this must not run within itself.
      loop.pool.awaitSpace(() -> loop.execute(this::memoryFreed));
    }
  }

  private void memoryFreed() {
    if (closed) {
      return;
    }
    awaitingMemory = false;
    PooledBuffer partial = held;
    if (partial != null && heldTo - heldFrom >= SIZE_FIELD_BYTES) {
      int neededBytes = SIZE_FIELD_BYTES + partial.bytes.getInt(heldFrom);
      if (neededBytes > partial.bytes.capacity() - heldFrom) {
        held = null;
        hold(partial.bytes, heldFrom, heldTo, neededBytes);
        partial.release();
      }
    }
    updateInterest();
  }

  private void onWritable() throws IOException {
    long written = output.writeTo(transport);
    loop.metrics.bytesOut.add(written);
    if (written > 0) {
      lastActiveNanos = loop.nowNanos();
      stalledWrites = 0;
    } else if (++stalledWrites > STALLED_WRITES_MAX) {
      closeWithWarning("an answer cannot be sent whole: its file is shorter than it was");
      return;
    }
    if (output.isEmpty()) {
      pump();
    }
  }

  private void flush() throws IOException {
    if (loop.batch.isEmpty()) {
      return;
    }
    if (closed) {
      loop.batch.discard();
      return;
    }
    loop.metrics.bytesOut.add(loop.batch.flush(transport, output));
    lastActiveNanos = loop.nowNanos();
  }

  private void updateInterest() {
    if (closed) {
      return;
    }
    if (draining && inFlight.isEmpty() && output.isEmpty()) {
      close();
      return;
    }
    boolean reads = !draining && !awaitingMemory && output.isEmpty() && !holdsWholeFrame();
    int wanted =
        (reads ? SelectionKey.OP_READ : 0) | (output.isEmpty() ? 0 : SelectionKey.OP_WRITE);
    if (key.interestOps() != wanted) {
      key.interestOps(wanted);
    }
  }

  private boolean holdsWholeFrame() {
    PooledBuffer buffer = held;
    return buffer != null
        && heldTo - heldFrom >= SIZE_FIELD_BYTES
        && heldTo - heldFrom - SIZE_FIELD_BYTES >= buffer.bytes.getInt(heldFrom);
  }

  /** Serves no further request; closes once those that were started are answered. */
  void drain() {
    draining = true;
    dropHeld();
    updateInterest();
  }

  /** Closes because of what the peer sent. */
  private void refuse(String reason) {
    loop.metrics.malformed.increment();
    closeWithWarning("it sent " + reason);
  }

  /** Closes, after what has been answered so far, with one log line. */
  private void closeWithWarning(String reason) {
    try {
      flush();
    } catch (IOException e) {
      log.debug("Connection {} of {} ended: {}", id, peer, e.getMessage());
    }
    loop.peerLog.warn(
        peer.getHostString(), "Connection of %s is closed: %s".formatted(peer, reason));
    close();
  }

  void close() {
    if (closed) {
      return;
    }
    closed = true;
    loop.connectionClosed(this);
    key.cancel();
    try {
      transport.close();
    } catch (IOException e) {
      log.debug("Closing connection {} of {} failed", id, peer, e);
    }
    dropHeld();
    output.clear();
    loop.batch.discard();
    if (attachment != null) {
      loop.runGuarded(attachment::connectionClosed);
    }
    for (InFlightRequest<?> request : inFlight) {
      request.connectionClosed();
      if (request.complete) {
        request.releaseBytes();
      }
    }
  }
}
