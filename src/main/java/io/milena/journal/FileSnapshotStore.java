package io.milena.journal;

import akka.dispatch.MessageDispatcher;
import akka.persistence.SelectedSnapshot;
import akka.persistence.SnapshotMetadata;
import akka.persistence.SnapshotSelectionCriteria;
import akka.persistence.serialization.Snapshot;
import akka.persistence.snapshot.japi.SnapshotStore;
import akka.serialization.Serialization;
import akka.serialization.SerializationExtension;
import com.typesafe.config.Config;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.concurrent.Future;
import scala.jdk.javaapi.FutureConverters;

/**
 * Akka Persistence snapshot store {@code milena.snapshot-store}: a file a snapshot, there as a
 * whole or not at all. A damaged one is passed over for the one before it.
 *
 * <p>Configuration: {@code dir}; empty means {@code snapshots} below {@code milena.journal.dir}.
 */
public final class FileSnapshotStore extends SnapshotStore {
  private static final Logger LOG = LoggerFactory.getLogger(FileSnapshotStore.class);

  private final Serialization serialization = SerializationExtension.get(context().system());
  private final MessageDispatcher blocking =
      context().system().dispatchers().lookup("akka.actor.default-blocking-io-dispatcher");
  private final SnapshotFiles files;

  /** Called by Akka with the plugin's section of the configuration. */
  public FileSnapshotStore(Config config) {
    String directory = JournalDirectory.snapshots(config, context().system().settings().config());
    files = new SnapshotFiles(Path.of(directory), Disk.REAL);
  }

  @Override
  public Future<Optional<SelectedSnapshot>> doLoadAsync(
      String persistenceId, SnapshotSelectionCriteria criteria) {
    return async(() -> load(persistenceId, criteria));
  }

  @Override
  public Future<@Nullable Void> doSaveAsync(SnapshotMetadata metadata, Object snapshot) {
    byte[] data = serialization.serialize(new Snapshot(snapshot)).get();
    return asyncRun(() -> files.save(nameOf(metadata), data));
  }

  @Override
  public Future<@Nullable Void> doDeleteAsync(SnapshotMetadata metadata) {
    // A timestamp of 0 is Akka's way to say: whatever its time was.
    return delete(
        metadata.persistenceId(),
        name ->
            name.sequenceNumber() == metadata.sequenceNr()
                && (metadata.timestamp() == 0 || name.timestampMs() == metadata.timestamp()));
  }

  @Override
  public Future<@Nullable Void> doDeleteAsync(
      String persistenceId, SnapshotSelectionCriteria criteria) {
    return delete(persistenceId, name -> isMatch(name, criteria));
  }

  private Optional<SelectedSnapshot> load(String persistenceId, SnapshotSelectionCriteria criteria)
      throws IOException {
    for (SnapshotFiles.Name name : files.list(persistenceId)) {
      if (isMatch(name, criteria)) {
        try {
          var snapshot = serialization.deserialize(files.load(name), Snapshot.class).get();
          return Optional.of(
              SelectedSnapshot.create(
                  new SnapshotMetadata(persistenceId, name.sequenceNumber(), name.timestampMs()),
                  snapshot.data()));
        } catch (JournalDamagedException e) {
          LOG.warn("{}; the one before it is used", e.getMessage());
        }
      }
    }
    return Optional.empty();
  }

  private Future<@Nullable Void> delete(
      String persistenceId, Predicate<SnapshotFiles.Name> condition) {
    return asyncRun(() -> {
      for (SnapshotFiles.Name name : files.list(persistenceId)) {
        if (condition.test(name)) {
          files.delete(name);
        }
      }
    });
  }

  private static boolean isMatch(SnapshotFiles.Name name, SnapshotSelectionCriteria criteria) {
    return name.sequenceNumber() <= criteria.maxSequenceNr()
        && name.sequenceNumber() >= criteria.minSequenceNr()
        && name.timestampMs() <= criteria.maxTimestamp()
        && name.timestampMs() >= criteria.minTimestamp();
  }

  private static SnapshotFiles.Name nameOf(SnapshotMetadata metadata) {
    return new SnapshotFiles.Name(
        metadata.persistenceId(), metadata.sequenceNr(), metadata.timestamp());
  }

  private <T> Future<T> async(IoSupplier<T> action) {
    return FutureConverters.asScala(
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return action.get();
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            },
            blocking));
  }

  private Future<@Nullable Void> asyncRun(IoRunnable action) {
    return FutureConverters.asScala(
        CompletableFuture.runAsync(
            () -> {
              try {
                action.run();
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            },
            blocking));
  }

  private interface IoSupplier<T> {
    T get() throws IOException;
  }

  private interface IoRunnable {
    void run() throws IOException;
  }
}
