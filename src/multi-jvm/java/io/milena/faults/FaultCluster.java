package io.milena.faults;

import io.milena.NodeProcess;
import io.milena.SmallDisk;
import io.milena.node.Await;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.TopicExistsException;

/** Real nodes, numbered from 1, that are killed, paused, cut off and started again. */
final class FaultCluster implements AutoCloseable {

  private static final String DISK_SIZE = "512m";

  /** Nodes that come back at once on a machine of two cores that is busy take a while. */
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(180);

  /** What the disks of nodes are like. */
  enum Disks {
    /** The file system of the temporary directory, whose flushes cost what they cost. */
    REAL,
    /** A small file system each, where mounting one is allowed. */
    SMALL
  }

  private final ClusterNetwork network;
  private final Map<Integer, NodeProcess> nodes = new TreeMap<>();
  private final Map<Integer, SmallDisk> disks = new HashMap<>();

  /** By the time at which they joined: the oldest member of the Akka cluster first. */
  private final List<Integer> oldestFirst = new ArrayList<>();

  private final Admin admin;

  private FaultCluster(Path directory, Path outputs, ClusterNetwork network, int size, Disks kind)
      throws Exception {
    this.network = network;
    Files.createDirectories(outputs);
    for (int id = 1; id <= size; id++) {
      Path data = directory.resolve("node-" + id);
      Optional<SmallDisk> disk =
          kind == Disks.SMALL ? SmallDisk.mount(data, DISK_SIZE) : Optional.empty();
      if (disk.isPresent()) {
        disks.put(id, disk.get());
      }
      nodes.put(
          id,
          new NodeProcess(
              data, network.place(id), outputs.resolve("node-" + id + ".txt"), settings(id, size)));
    }
    admin =
        Admin.create(
            Map.of(
                "bootstrap.servers", bootstrap(),
                "request.timeout.ms", "3000",
                "default.api.timeout.ms", "10000",
                "reconnect.backoff.max.ms", "200"));
  }

  private List<String> settings(int id, int size) {
    List<String> settings = new ArrayList<>();
    settings.add("node.id=" + id);
    settings.add("default.replication.factor=" + Math.min(size, 3));
    settings.add("min.insync.replicas=" + Math.min(size, 2));
    settings.add("offsets.topic.num.partitions=4");
    if (id > 1) {
      settings.add("milena.cluster.join=" + nodes.get(1).bootstrap());
    }
    return settings;
  }

  /**
   * Starts one over an empty directory and waits until all nodes belong to it.
   *
   * @param outputs the directory that gets what the nodes print
   * @param network is closed with the cluster
   */
  static FaultCluster start(
      Path directory, Path outputs, ClusterNetwork network, int size, Disks disks)
      throws Exception {
    FaultCluster cluster = new FaultCluster(directory, outputs, network, size, disks);
    try {
      for (int id = 1; id <= size; id++) {
        cluster.start(id);
      }
      cluster.awaitMembers();
    } catch (Exception | AssertionError failure) {
      cluster.close();
      throw failure;
    }
    return cluster;
  }

  String bootstrap() {
    return nodes.values().stream().map(NodeProcess::bootstrap).collect(Collectors.joining(","));
  }

  Admin admin() {
    return admin;
  }

  ClusterNetwork network() {
    return network;
  }

  NodeProcess node(int id) {
    return nodes.get(id);
  }

  Optional<SmallDisk> disk(int id) {
    return Optional.ofNullable(disks.get(id));
  }

  int size() {
    return nodes.size();
  }

  List<Integer> others(int id) {
    return nodes.keySet().stream().filter(other -> other != id).toList();
  }

  /** A node that is none of these. */
  int otherThan(List<Integer> ids) {
    return nodes.keySet().stream().filter(id -> !ids.contains(id)).findFirst().orElseThrow();
  }

  /** Starts a node that is down and waits until it serves. */
  void start(int id) throws Exception {
    node(id).start();
    joinedNow(id);
  }

  /** SIGSTOP for a while: the node stands still, and its connections stay open. */
  void pause(int id, Duration howLong) throws Exception {
    node(id).pause();
    try {
      TimeUnit.NANOSECONDS.sleep(howLong.toNanos());
    } finally {
      node(id).resume();
    }
  }

  /** Starts all nodes that are down at once: none may be able to serve before a second is there. */
  void startAll() throws Exception {
    List<Integer> down = nodes.keySet().stream().filter(id -> !node(id).isRunning()).toList();
    for (int id : down) {
      node(id).launch();
    }
    for (int id : down) {
      node(id).awaitReady();
      joinedNow(id);
    }
  }

  /** A node that stood still or was cut off has come back as a new member. */
  void joinedNow(int id) {
    oldestFirst.remove((Integer) id);
    oldestFirst.add(id);
  }

  int oldest() {
    return oldestFirst.getFirst();
  }

  int metadataLeader() throws Exception {
    int[] leader = {-1};
    await(
        () -> {
          leader[0] =
              admin.describeMetadataQuorum().quorumInfo().get(20, TimeUnit.SECONDS).leaderId();
          return leader[0] >= 1;
        },
        "a metadata leader");
    return leader[0];
  }

  /**
   * Creates a topic and waits for its leaders.
   *
   * @param leader of all partitions; who comes second is different in each
   */
  void createTopic(String name, int partitions, int leader, Map<String, String> configs)
      throws Exception {
    Map<Integer, List<Integer>> assignment = new HashMap<>();
    for (int partition = 0; partition < partitions; partition++) {
      List<Integer> replicas = new ArrayList<>(others(leader));
      Collections.rotate(replicas, partition);
      replicas.addFirst(leader);
      assignment.put(partition, replicas);
    }
    NewTopic topic = new NewTopic(name, assignment).configs(configs);
    await(() -> isCreated(topic), "creation of " + name);
    awaitHealed(name);
    await(() -> leadsOrIsElected(leader, name), "node " + leader + " leads " + name);
  }

  private boolean isCreated(NewTopic topic) throws Exception {
    try {
      admin.createTopics(List.of(topic)).all().get(20, TimeUnit.SECONDS);
      return true;
    } catch (ExecutionException failure) {
      if (failure.getCause() instanceof TopicExistsException) {
        return true;
      }
      throw failure;
    }
  }

  /** On a machine that stalls another may have taken its place since. */
  private boolean leadsOrIsElected(int leader, String topic) throws Exception {
    Set<TopicPartition> others =
        describe(topic).partitions().stream()
            .filter(partition -> partition.leader() == null || partition.leader().id() != leader)
            .map(partition -> new TopicPartition(topic, partition.partition()))
            .collect(Collectors.toSet());
    if (!others.isEmpty()) {
      admin.electLeaders(ElectionType.PREFERRED, others).all().get(20, TimeUnit.SECONDS);
    }
    return others.isEmpty();
  }

  /** The node that leads a partition now. */
  int leader(TopicPartition partition) throws Exception {
    int[] leader = {-1};
    await(
        () -> {
          Node node = describe(partition.topic()).partitions().get(partition.partition()).leader();
          leader[0] = node == null ? -1 : node.id();
          return leader[0] >= 1;
        },
        "a leader of " + partition);
    return leader[0];
  }

  private TopicDescription describe(String topic) throws Exception {
    return admin
        .describeTopics(List.of(topic))
        .allTopicNames()
        .get(20, TimeUnit.SECONDS)
        .get(topic);
  }

  /** Waits until every node is a member, and a voter of the metadata group. */
  void awaitMembers() throws Exception {
    await(
        () -> admin.describeCluster().nodes().get(20, TimeUnit.SECONDS).size() == size(),
        "all nodes are members");
    if (size() == 1) {
      return;
    }
    await(
        () ->
            admin.describeMetadataQuorum().quorumInfo().get(20, TimeUnit.SECONDS).voters().size()
                == Math.min(size(), 3),
        "all nodes are voters");
  }

  /** Waits until every node is a member and every replica of a topic in sync. */
  void awaitHealed(String topic) throws Exception {
    awaitMembers();
    await(
        () -> describe(topic).partitions().stream().allMatch(partition -> isWhole(partition)),
        "all replicas of " + topic + " are in sync");
  }

  private static boolean isWhole(TopicPartitionInfo partition) {
    return partition.leader() != null
        && !partition.leader().isEmpty()
        && partition.isr().size() == partition.replicas().size();
  }

  /** The files of a node's replica. */
  ReplicaFiles replica(int id, TopicPartition partition) {
    return new ReplicaFiles(node(id).data(), partition);
  }

  /**
   * Waits until every replica of a partition has everything below an offset, and compares their
   * files up to there.
   *
   * @return where they differ
   */
  List<String> replicaDifferences(TopicPartition partition, long belowOffset) throws Exception {
    List<ReplicaFiles> replicas =
        nodes.keySet().stream().map(id -> replica(id, partition)).toList();
    List<String> differences = new ArrayList<>();
    for (ReplicaFiles replica : replicas) {
      Await.until(
          () -> replica.endOffset() >= belowOffset, replica + " has what is below " + belowOffset);
      differences.addAll(
          ReplicaFiles.differences(
              partition.toString(), replicas.getFirst(), replica, belowOffset));
    }
    return differences;
  }

  /** The first offset that is not acknowledged, as the leader says. */
  long highWatermark(TopicPartition partition) throws Exception {
    long[] offset = {-1};
    await(
        () -> {
          offset[0] =
              admin
                  .listOffsets(Map.of(partition, OffsetSpec.latest()))
                  .partitionResult(partition)
                  .get(20, TimeUnit.SECONDS)
                  .offset();
          return true;
        },
        "the high watermark of " + partition);
    return offset[0];
  }

  /** Waits for what may fail for a while when nodes are missing. */
  private void await(Callable<Boolean> condition, String what) throws Exception {
    Throwable[] last = {null};
    try {
      Await.until(
          () -> {
            try {
              return condition.call();
            } catch (ExecutionException | TimeoutException passing) {
              last[0] = passing;
              return false;
            }
          },
          what,
          PATIENCE_NANOS);
    } catch (AssertionError late) {
      if (last[0] != null) {
        late.addSuppressed(last[0]);
      }
      throw late;
    }
  }

  @Override
  public void close() throws IOException {
    try {
      admin.close(Duration.ZERO);
      for (NodeProcess node : nodes.values()) {
        node.close();
      }
      for (SmallDisk disk : disks.values()) {
        disk.close();
      }
      network.close();
    } catch (IOException failure) {
      throw failure;
    } catch (Exception failure) {
      throw new IOException(failure);
    }
  }
}
