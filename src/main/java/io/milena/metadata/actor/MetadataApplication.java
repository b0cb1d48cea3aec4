package io.milena.metadata.actor;

import io.milena.metadata.MetadataDelta;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataRecordCodec;
import io.milena.metadata.MetadataReplay;
import io.milena.raft.Entry;
import io.milena.raft.EntryPayload;
import io.milena.raft.LogPosition;
import io.milena.raft.Snapshot;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** The state machine behind Raft: committed entries become images. Confined to one actor. */
final class MetadataApplication {

  private final MetadataPublisher publisher;
  private final long snapshotBytes;
  private MetadataImage image = MetadataImage.EMPTY;
  private long appliedIndex;
  private long bytesSinceSnapshot;

  MetadataApplication(MetadataPublisher publisher, long snapshotBytes) {
    this.publisher = publisher;
    this.snapshotBytes = snapshotBytes;
  }

  /** The image with every entry up to {@link #appliedIndex} in it. */
  MetadataImage image() {
    return image;
  }

  /** Index of the last entry applied, of whatever kind. */
  long appliedIndex() {
    return appliedIndex;
  }

  /** A snapshot to be handed to Raft. */
  @SuppressWarnings("ArrayRecordComponent") // bulk bytes, never changed
  record Taken(long index, byte[] data) {}

  /** Replaces the image by a snapshot's. */
  void install(Snapshot snapshot) {
    MetadataImage before = publisher.image();
    image =
        snapshot.data().length == 0
            ? MetadataImage.EMPTY
            : MetadataRecordCodec.decodeImage(snapshot.data());
    appliedIndex = snapshot.position().index();
    bytesSinceSnapshot = 0;
    publisher.publish(
        union(MetadataReplay.everything(before), MetadataReplay.everything(image)), image);
  }

  /** Applies a committed entry and publishes the image; returns the entry's position. */
  LogPosition apply(Entry entry) {
    switch (entry.payload()) {
      case EntryPayload.Command command -> {
        MetadataReplay.Applied applied =
            MetadataReplay.apply(image, entry.index(), MetadataRecordCodec.decode(command.data()));
        image = applied.image();
        bytesSinceSnapshot += command.sizeBytes();
        publisher.publish(applied.delta(), image);
      }
      case EntryPayload.EpochStart _, EntryPayload.MembershipChanged _ -> {}
    }
    appliedIndex = entry.index();
    return new LogPosition(entry.index(), entry.epoch());
  }

  /** A snapshot of the image, once enough was applied since the last one. */
  Optional<Taken> takeSnapshot() {
    if (bytesSinceSnapshot < snapshotBytes) {
      return Optional.empty();
    }
    bytesSinceSnapshot = 0;
    return Optional.of(new Taken(appliedIndex, MetadataRecordCodec.encodeImage(image)));
  }

  private static MetadataDelta union(MetadataDelta one, MetadataDelta other) {
    return new MetadataDelta(
        union(one.topics(), other.topics()),
        union(one.replicaSets(), other.replicaSets()),
        union(one.nodes(), other.nodes()),
        union(one.configs(), other.configs()));
  }

  private static <T> Set<T> union(Set<T> one, Set<T> other) {
    Set<T> all = new HashSet<>(one);
    all.addAll(other);
    return Set.copyOf(all);
  }
}
