package io.milena.metadata;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The records of a decision in the making, and the image with them applied, so that the items of
 * one command see each other.
 */
final class Draft {

  private final List<MetadataRecord> records = new ArrayList<>();
  private MetadataImage image;
  private @Nullable ReplicaSets replicaSets;

  Draft(MetadataImage image) {
    this.image = image;
  }

  /** Goes on from what was decided. */
  Draft(Decision<?> decision) {
    this.image = decision.image();
    this.records.addAll(decision.records());
  }

  MetadataImage image() {
    return image;
  }

  void add(MetadataRecord record) {
    records.add(record);
    image = MetadataReplay.replay(image, record);
  }

  /** The sets of the image, indexed once for the whole command. */
  ReplicaSets replicaSets() {
    if (replicaSets == null) {
      replicaSets = new ReplicaSets(this);
    }
    return replicaSets;
  }

  <R extends MetadataReply> Decision<R> decided(R reply) {
    return new Decision<>(records, reply, image);
  }
}
