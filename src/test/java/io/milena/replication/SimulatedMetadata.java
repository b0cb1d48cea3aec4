package io.milena.replication;

import io.milena.metadata.Decision;
import io.milena.metadata.DecisionContext;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataCore;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataInvariants;
import io.milena.metadata.MetadataRecord;
import io.milena.metadata.MetadataReplay;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.ReplicaSetImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;

/**
 * The metadata group as the nodes of a simulation see it: one authority that decides commands one
 * after the other by the real rules, and a log of what it decided.
 */
final class SimulatedMetadata {

  private final ReplicationFault fault;
  private final DecisionContext context;
  private final boolean checked;
  private final List<List<MetadataRecord>> entries = new ArrayList<>();
  private MetadataImage image = MetadataImage.EMPTY;

  /**
   * @param checked whether every image is checked as well, which takes longer than all the rest
   */
  SimulatedMetadata(
      ReplicationFault fault, int minInSyncReplicas, String durability, boolean checked) {
    this.fault = fault;
    this.checked = checked;
    this.context =
        new DecisionContext(
            Map.of("min.insync.replicas", "" + minInSyncReplicas, "log.durability", durability),
            () -> new Uuid(9, 100 + entries.size()));
  }

  MetadataImage image() {
    return image;
  }

  /** How many entries there are. */
  int end() {
    return entries.size();
  }

  /** An image with the entries up to an index, which is above the image's. */
  MetadataImage upTo(MetadataImage from, int index) {
    MetadataImage next = from;
    for (int i = (int) from.appliedIndex(); i < index; i++) {
      next = MetadataReplay.apply(next, i + 1, entries.get(i)).image();
    }
    return next;
  }

  /** Decides a command, and applies what follows from it. */
  @SuppressWarnings("unchecked")
  <R extends MetadataReply> R decide(MetadataCommand<R> asked) {
    Decision<?> decision = MetadataCore.decide(image, broken(asked), context);
    List<MetadataRecord> records = broken(asked, decision.records());
    if (!records.isEmpty()) {
      MetadataImage next = MetadataReplay.apply(image, image.appliedIndex() + 1, records).image();
      if (checked) {
        MetadataInvariants.check(next);
        MetadataInvariants.checkOrder(image, next);
      }
      entries.add(records);
      image = next;
    }
    return (R) decision.reply();
  }

  private MetadataCommand<?> broken(MetadataCommand<?> asked) {
    if (!(asked instanceof MetadataCommand.ChangeInSyncReplicas change)) {
      return asked;
    }
    ReplicaSetImage set = image.replicaSets().get(change.setId());
    int partitionEpoch =
        fault == ReplicationFault.PARTITION_EPOCH_IGNORED && set != null
            ? set.partitionEpoch()
            : change.partitionEpoch();
    return new MetadataCommand.ChangeInSyncReplicas(
        change.setId(),
        change.nodeId(),
        change.nodeEpoch(),
        change.leaderEpoch(),
        partitionEpoch,
        change.isr());
  }

  private List<MetadataRecord> broken(MetadataCommand<?> asked, List<MetadataRecord> records) {
    if (fault == ReplicationFault.ADDED_PARTITIONS_RAISE_NOTHING
        && asked instanceof MetadataCommand.CreatePartitions) {
      return records.stream()
          .filter(record ->
              !(record instanceof MetadataRecord.ReplicaSetChanged changed)
                  || !image.replicaSets().containsKey(changed.set().id()))
          .toList();
    }
    if (fault == ReplicationFault.FENCING_RAISES_NOTHING
        && asked instanceof MetadataCommand.FenceNode) {
      return records.stream()
          .filter(record ->
              !(record instanceof MetadataRecord.ReplicaSetChanged(ReplicaSetImage set))
                  || !set.isr().equals(image.replicaSets().get(set.id()).isr()))
          .toList();
    }
    if (fault == ReplicationFault.EVERYBODY_REMAINS_ELIGIBLE) {
      return records.stream().map(this::withEverybodyEligible).toList();
    }
    return records;
  }

  private MetadataRecord withEverybodyEligible(MetadataRecord record) {
    if (!(record instanceof MetadataRecord.ReplicaSetChanged(ReplicaSetImage set))) {
      return record;
    }
    ReplicaSetImage before = image.replicaSets().get(set.id());
    if (before == null) {
      return record;
    }
    List<Integer> elr =
        Stream.concat(before.isr().stream(), before.elr().stream())
            .filter(node -> !set.isr().contains(node) && set.replicas().contains(node))
            .toList();
    return new MetadataRecord.ReplicaSetChanged(
        new ReplicaSetImage(
            set.id(),
            set.replicas(),
            set.addingReplicas(),
            set.removingReplicas(),
            set.leader(),
            set.leaderEpoch(),
            set.isr(),
            elr,
            set.lastKnownElr(),
            set.partitionEpoch(),
            set.detached()));
  }
}
