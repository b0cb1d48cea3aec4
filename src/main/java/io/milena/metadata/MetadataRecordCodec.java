package io.milena.metadata;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;

/**
 * The bytes of metadata records and of whole images.
 *
 * <pre>
 * entry     version u8 (3) · count varint · record...
 * snapshot  version u8 (3) · appliedIndex, nextProducerId, nextReplicaSetId, nextNodeEpoch varlong
 *           · count varint · record...: those that build the image from an empty one
 * record    type u8 · the record's fields in their order
 * </pre>
 *
 * <p>Numbers are variable-length (LEB128 of the zigzag value), strings are UTF-8 after their
 * length, ids are 16 bytes, optional values follow a byte 0 or 1. Equal records have equal bytes. A
 * reader refuses a version newer than its own: a change of layout raises it, and nodes learn to
 * read a version one release before any writes it. Version 1 (one node) had no reassignments,
 * version 2 no replicas that are offline on a node that runs.
 */
public final class MetadataRecordCodec {

  /** The layout this code writes, and the newest it reads. */
  static final int VERSION = 3;

  private static final int CLUSTER_CREATED = 1;
  private static final int NODE_REGISTERED = 2;
  private static final int NODE_CHANGED = 3;
  private static final int REPLICA_SET_CHANGED = 4;
  private static final int REPLICA_SET_REMOVED = 5;
  private static final int TOPIC_CREATED = 6;
  private static final int PARTITIONS_ADDED = 7;
  private static final int TOPIC_DELETED = 8;
  private static final int CONFIGS_CHANGED = 9;
  private static final int PRODUCER_IDS_ALLOCATED = 10;
  private static final int PARTITIONS_MOVED = 11;
  private static final int NODE_UNREGISTERED = 12;
  private static final int FEATURE_CHANGED = 13;

  private MetadataRecordCodec() {}

  /** The bytes are not of this layout, or of a newer one. */
  public static final class UnreadableMetadataException extends RuntimeException {
    private static final long serialVersionUID = 1;

    UnreadableMetadataException(String message) {
      super(message);
    }
  }

  /** The records of one entry of the log. */
  public static byte[] encode(List<MetadataRecord> records) {
    Output out = new Output();
    out.u8(VERSION);
    writeAll(out, records);
    return out.toByteArray();
  }

  /**
   * The reverse of {@link #encode}.
   *
   * @throws UnreadableMetadataException if the bytes are damaged, or of a newer version
   */
  public static List<MetadataRecord> decode(byte[] bytes) {
    Input in = open(bytes, "metadata entry");
    return in.whole(() -> readAll(in));
  }

  /** A whole image. */
  public static byte[] encodeImage(MetadataImage image) {
    Output out = new Output();
    out.u8(VERSION);
    out.number(image.appliedIndex());
    out.number(image.nextProducerId());
    out.number(image.nextReplicaSetId());
    out.number(image.nextNodeEpoch());
    writeAll(out, recordsOf(image));
    return out.toByteArray();
  }

  /**
   * The reverse of {@link #encodeImage}.
   *
   * @throws UnreadableMetadataException if the bytes are damaged, or of a newer version
   */
  public static MetadataImage decodeImage(byte[] bytes) {
    Input in = open(bytes, "metadata snapshot");
    return in.whole(() -> {
      long appliedIndex = in.number();
      long nextProducerId = in.number();
      int nextReplicaSetId = in.int32();
      long nextNodeEpoch = in.number();
      MetadataImage image = MetadataImage.EMPTY;
      for (MetadataRecord record : readAll(in)) {
        image = MetadataReplay.replay(image, record);
      }
      return MetadataReplay.withCounters(
          image, appliedIndex, nextProducerId, nextReplicaSetId, nextNodeEpoch);
    });
  }

  /** Records that build an image from an empty one, in an order that depends on it alone. */
  static List<MetadataRecord> recordsOf(MetadataImage image) {
    List<MetadataRecord> records = new ArrayList<>();
    image.clusterId().ifPresent(id -> records.add(new MetadataRecord.ClusterCreated(id)));
    new TreeMap<>(image.nodes())
        .values()
        .forEach(node -> records.add(new MetadataRecord.NodeRegistered(node)));
    new TreeMap<>(image.replicaSets())
        .values()
        .forEach(set -> records.add(new MetadataRecord.ReplicaSetChanged(set)));
    new TreeMap<>(image.topicsByName())
        .values()
        .forEach(topic ->
            records.add(
                new MetadataRecord.TopicCreated(
                    topic.name(),
                    topic.id(),
                    topic.internal(),
                    topic.partitions().stream().map(PartitionImage::replicaSetId).toList())));
    new TreeMap<>(image.features())
        .forEach((name, level) -> records.add(new MetadataRecord.FeatureChanged(name, level)));
    image.configs().entrySet().stream()
        .sorted(
            Map.Entry.comparingByKey(
                Comparator.comparing(ConfigResource::type).thenComparing(ConfigResource::name)))
        .forEach(entry -> {
          Map<String, Optional<String>> overrides = new TreeMap<>();
          entry.getValue().forEach((name, value) -> overrides.put(name, Optional.of(value)));
          records.add(new MetadataRecord.ConfigsChanged(entry.getKey(), overrides));
        });
    return records;
  }

  private static Input open(byte[] bytes, String what) {
    Input in = new Input(bytes, what);
    if (bytes.length == 0) {
      throw new UnreadableMetadataException("empty " + what);
    }
    int version = in.u8();
    if (version > VERSION || version == 0) {
      throw new UnreadableMetadataException(
          what
              + " has version "
              + version
              + ", this node reads up to "
              + VERSION
              + ": start it with the release that wrote it, or a later one");
    }
    in.version(version);
    return in;
  }

  private static void writeAll(Output out, List<MetadataRecord> records) {
    out.number(records.size());
    for (MetadataRecord record : records) {
      write(out, record);
    }
  }

  private static List<MetadataRecord> readAll(Input in) {
    return in.list(() -> read(in));
  }

  private static void write(Output out, MetadataRecord record) {
    switch (record) {
      case MetadataRecord.ClusterCreated(Uuid clusterId) -> {
        out.u8(CLUSTER_CREATED);
        out.uuid(clusterId);
      }
      case MetadataRecord.NodeRegistered(NodeImage node) -> {
        out.u8(NODE_REGISTERED);
        writeNode(out, node);
      }
      case MetadataRecord.NodeChanged changed -> {
        out.u8(NODE_CHANGED);
        out.number(changed.nodeId());
        out.bool(changed.fenced());
        out.bool(changed.controlledShutdown());
      }
      case MetadataRecord.NodeUnregistered(int nodeId) -> {
        out.u8(NODE_UNREGISTERED);
        out.number(nodeId);
      }
      case MetadataRecord.FeatureChanged(String name, short level) -> {
        out.u8(FEATURE_CHANGED);
        out.string(name);
        out.number(level);
      }
      case MetadataRecord.ReplicaSetChanged(ReplicaSetImage set) -> {
        out.u8(REPLICA_SET_CHANGED);
        writeSet(out, set);
      }
      case MetadataRecord.ReplicaSetRemoved(int id) -> {
        out.u8(REPLICA_SET_REMOVED);
        out.number(id);
      }
      case MetadataRecord.TopicCreated created -> {
        out.u8(TOPIC_CREATED);
        out.string(created.name());
        out.uuid(created.id());
        out.bool(created.internal());
        out.ints(created.replicaSetIds());
      }
      case MetadataRecord.PartitionsAdded(Uuid topicId, List<Integer> replicaSetIds) -> {
        out.u8(PARTITIONS_ADDED);
        out.uuid(topicId);
        out.ints(replicaSetIds);
      }
      case MetadataRecord.PartitionsMoved moved -> {
        out.u8(PARTITIONS_MOVED);
        out.uuid(moved.topicId());
        out.number(moved.replicaSetIds().size());
        new TreeMap<>(moved.replicaSetIds())
            .forEach((partition, set) -> {
              out.number(partition);
              out.number(set);
            });
      }
      case MetadataRecord.TopicDeleted(Uuid topicId) -> {
        out.u8(TOPIC_DELETED);
        out.uuid(topicId);
      }
      case MetadataRecord.ConfigsChanged changed -> {
        out.u8(CONFIGS_CHANGED);
        out.u8(changed.resource().type().id());
        out.string(changed.resource().name());
        out.number(changed.changes().size());
        new TreeMap<>(changed.changes())
            .forEach((name, value) -> {
              out.string(name);
              out.optional(value);
            });
      }
      case MetadataRecord.ProducerIdsAllocated(long nextProducerId) -> {
        out.u8(PRODUCER_IDS_ALLOCATED);
        out.number(nextProducerId);
      }
    }
  }

  private static MetadataRecord read(Input in) {
    int type = in.u8();
    return switch (type) {
      case CLUSTER_CREATED -> new MetadataRecord.ClusterCreated(in.uuid());
      case NODE_REGISTERED -> new MetadataRecord.NodeRegistered(readNode(in));
      case NODE_CHANGED -> new MetadataRecord.NodeChanged(in.int32(), in.bool(), in.bool());
      case NODE_UNREGISTERED -> new MetadataRecord.NodeUnregistered(in.int32());
      case FEATURE_CHANGED -> new MetadataRecord.FeatureChanged(in.string(), (short) in.int32());
      case REPLICA_SET_CHANGED -> new MetadataRecord.ReplicaSetChanged(readSet(in));
      case REPLICA_SET_REMOVED -> new MetadataRecord.ReplicaSetRemoved(in.int32());
      case TOPIC_CREATED ->
          new MetadataRecord.TopicCreated(in.string(), in.uuid(), in.bool(), in.ints());
      case PARTITIONS_ADDED -> new MetadataRecord.PartitionsAdded(in.uuid(), in.ints());
      case PARTITIONS_MOVED -> readMoves(in);
      case TOPIC_DELETED -> new MetadataRecord.TopicDeleted(in.uuid());
      case CONFIGS_CHANGED -> readConfigs(in);
      case PRODUCER_IDS_ALLOCATED -> new MetadataRecord.ProducerIdsAllocated(in.number());
      default -> throw new UnreadableMetadataException("unknown metadata record type " + type);
    };
  }

  private static void writeNode(Output out, NodeImage node) {
    out.number(node.id());
    out.uuid(node.incarnation());
    out.number(node.nodeEpoch());
    out.number(node.endpoints().size());
    for (NodeImage.Endpoint endpoint : node.endpoints()) {
      out.string(endpoint.listener());
      out.string(endpoint.host());
      out.number(endpoint.port());
      out.string(endpoint.securityProtocol());
    }
    out.string(node.clusterAddress().host());
    out.number(node.clusterAddress().port());
    out.optional(node.rack());
    out.number(node.logDirs().size());
    node.logDirs().forEach(out::uuid);
    out.bool(node.fenced());
    out.bool(node.controlledShutdown());
  }

  private static NodeImage readNode(Input in) {
    return new NodeImage(
        in.int32(),
        in.uuid(),
        in.number(),
        in.list(() -> new NodeImage.Endpoint(in.string(), in.string(), in.int32(), in.string())),
        new NodeImage.ClusterAddress(in.string(), in.int32()),
        in.optional(),
        in.list(in::uuid),
        in.bool(),
        in.bool());
  }

  private static void writeSet(Output out, ReplicaSetImage set) {
    out.number(set.id());
    out.ints(set.replicas());
    out.number(set.leader());
    out.number(set.leaderEpoch());
    out.ints(set.isr());
    out.ints(set.elr());
    out.ints(set.lastKnownElr());
    out.number(set.partitionEpoch());
    out.bool(set.detached());
    out.ints(set.addingReplicas());
    out.ints(set.removingReplicas());
    out.ints(set.offline());
  }

  private static ReplicaSetImage readSet(Input in) {
    int id = in.int32();
    List<Integer> replicas = in.ints();
    int leader = in.int32();
    int leaderEpoch = in.int32();
    List<Integer> isr = in.ints();
    List<Integer> elr = in.ints();
    List<Integer> lastKnownElr = in.ints();
    int partitionEpoch = in.int32();
    boolean detached = in.bool();
    boolean hasReassignment = in.version() >= 2;
    return new ReplicaSetImage(
        id,
        replicas,
        hasReassignment ? in.ints() : List.of(),
        hasReassignment ? in.ints() : List.of(),
        leader,
        leaderEpoch,
        isr,
        elr,
        lastKnownElr,
        partitionEpoch,
        detached,
        in.version() >= 3 ? in.ints() : List.of());
  }

  private static MetadataRecord readMoves(Input in) {
    Uuid topicId = in.uuid();
    Map<Integer, Integer> sets = new TreeMap<>();
    int count = in.count();
    for (int i = 0; i < count; i++) {
      sets.put(in.int32(), in.int32());
    }
    return new MetadataRecord.PartitionsMoved(topicId, sets);
  }

  private static MetadataRecord readConfigs(Input in) {
    ConfigResource resource =
        new ConfigResource(ConfigResource.Type.forId((byte) in.u8()), in.string());
    Map<String, Optional<String>> changes = new TreeMap<>();
    int count = in.count();
    for (int i = 0; i < count; i++) {
      changes.put(in.string(), in.optional());
    }
    return new MetadataRecord.ConfigsChanged(resource, changes);
  }
}
