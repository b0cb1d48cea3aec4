package io.milena.journal;

import akka.event.EventStream;
import akka.persistence.AtomicWrite;
import akka.persistence.PersistentRepr;
import akka.persistence.journal.japi.AsyncWriteJournal;
import akka.serialization.Serialization;
import akka.serialization.SerializationExtension;
import com.typesafe.config.Config;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;
import scala.jdk.javaapi.FutureConverters;

/**
 * Akka Persistence journal {@code milena.journal}: an event is acknowledged once it is on disk, and
 * all that wait share one flush. Events are stored by Akka's own serialisation, so with serializer
 * id, manifest, writer and timestamp.
 *
 * <p>Configuration: {@code dir}, a directory of its own; {@code segment-bytes}.
 */
public final class SegmentJournal extends AsyncWriteJournal {
  private final Serialization serialization = SerializationExtension.get(context().system());
  private final EventJournal journal;

  /** Called by Akka with the plugin's section of the configuration. */
  public SegmentJournal(Config config) throws IOException {
    journal =
        new EventJournal(
            Path.of(JournalDirectory.events(config)),
            Math.toIntExact(config.getBytes("segment-bytes")),
            Disk.REAL);
    EventStream events = context().system().eventStream();
    Path directory = Path.of(JournalDirectory.events(config));
    var _ =
        journal.failed().thenAccept(cause -> events.publish(new JournalFailed(directory, cause)));
  }

  @Override
  public void postStop() throws Exception {
    journal.close();
    super.postStop();
  }

  @Override
  public Future<Iterable<Optional<Exception>>> doAsyncWriteMessages(
      Iterable<AtomicWrite> messages) {
    var outcomes = new ArrayList<CompletableFuture<Optional<Exception>>>();
    for (AtomicWrite message : messages) {
      outcomes.add(write(message));
    }
    return FutureConverters.asScala(
        CompletableFuture.allOf(outcomes.toArray(CompletableFuture[]::new))
            .thenApply(_ -> outcomes.stream().map(CompletableFuture::join).toList()));
  }

  @Override
  public Future<@Nullable Void> doAsyncDeleteMessagesTo(String persistenceId, long toSequenceNr) {
    return asScala(journal.deleteTo(persistenceId, toSequenceNr));
  }

  @Override
  public Future<@Nullable Void> doAsyncReplayMessages(
      String persistenceId,
      long fromSequenceNr,
      long toSequenceNr,
      long max,
      Consumer<PersistentRepr> replayCallback) {
    return asScala(
        journal.replay(
            persistenceId,
            fromSequenceNr,
            toSequenceNr,
            max,
            event ->
                replayCallback.accept(
                    serialization.deserialize(event.data(), PersistentRepr.class).get())));
  }

  @Override
  public Future<Long> doAsyncReadHighestSequenceNr(String persistenceId, long fromSequenceNr) {
    return FutureConverters.asScala(journal.highest(persistenceId));
  }

  /** A payload that cannot be serialised is rejected; a disk that fails fails the actor. */
  private CompletableFuture<Optional<Exception>> write(AtomicWrite message) {
    List<StoredEvent> events;
    try {
      events = serialize(message);
    } catch (Exception e) {
      // Scala's Try throws checked exceptions that no signature shows.
      return CompletableFuture.completedFuture(Optional.of(e));
    }
    return journal.write(message.persistenceId(), events).thenApply(_ -> Optional.empty());
  }

  private List<StoredEvent> serialize(AtomicWrite message) {
    var events = new ArrayList<StoredEvent>();
    for (PersistentRepr event : CollectionConverters.asJava(message.payload())) {
      events.add(new StoredEvent(event.sequenceNr(), serialization.serialize(event).get()));
    }
    return events;
  }

  private static Future<@Nullable Void> asScala(CompletionStage<@Nullable Void> stage) {
    return FutureConverters.asScala(stage);
  }
}
