package io.milena.faults;

import io.milena.NodeProcess;
import io.milena.SmallDisk;
import io.milena.node.Await;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartitionInfo;

/** Three real nodes, numbered from 1, on disks of their own where that is allowed. */
final class FaultCluster implements AutoCloseable {

  static final int NODES = 3;

  private static final String DISK_SIZE = "256m";

  private final ClusterNetwork network;
  private final Map<Integer, NodeProcess> nodes = new TreeMap<>();
  private final Map<Integer, SmallDisk> disks = new HashMap<>();

  /** By the time at which they joined: the oldest member of the Akka cluster first. */
  private final List<Integer> oldestFirst = new ArrayList<>();

  private final Admin admin;

  private FaultCluster(Path directory, ClusterNetwork network) throws Exception {
    this.network = network;
    for (int id = 1; id <= NODES; id++) {
      Path data = directory.resolve("node-" + id);
      Optional<SmallDisk> disk = SmallDisk.mount(data, DISK_SIZE);
      if (disk.isPresent()) {
        disks.put(id, disk.get());
      }
      nodes.put(
          id,
          new NodeProcess(
              data, network.place(id), directory.resolve("node-" + id + ".txt"), settings(id)));
    }
    admin =
        Admin.create(
            Map.of(
                "bootstrap.servers", bootstrap(),
                "request.timeout.ms", "3000",
                "default.api.timeout.ms", "10000",
                "reconnect.backoff.max.ms", "200"));
  }

  private List<String> settings(int id) {
    List<String> settings = new ArrayList<>();
    settings.add("node.id=" + id);
    settings.add("default.replication.factor=" + NODES);
    settings.add("min.insync.replicas=2");
    settings.add("offsets.topic.num.partitions=4");
    if (id > 1) {
      settings.add("milena.cluster.join=" + nodes.get(1).bootstrap());
    }
    return settings;
  }

  /** Starts one over an empty directory and waits until all nodes belong to it. */
  static FaultCluster start(Path directory, ClusterNetwork network) throws Exception {
    FaultCluster cluster = new FaultCluster(directory, network);
    try {
      for (int id = 1; id <= NODES; id++) {
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

  List<Integer> others(int id) {
    return nodes.keySet().stream().filter(other -> other != id).toList();
  }

  /** Starts a node that is down and waits until it serves. */
  void start(int id) throws Exception {
    node(id).start();
    joinedNow(id);
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
      List<Integer> others = others(leader);
      int second = others.get(partition % 2);
      int third = others.get((partition + 1) % 2);
      assignment.put(partition, List.of(leader, second, third));
    }
    admin
        .createTopics(List.of(new NewTopic(name, assignment).configs(configs)))
        .all()
        .get(60, TimeUnit.SECONDS);
    awaitHealed(name);
    await(
        () ->
            describe(name).partitions().stream()
                .allMatch(partition -> partition.leader().id() == leader),
        "node " + leader + " leads " + name);
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
        () -> admin.describeCluster().nodes().get(20, TimeUnit.SECONDS).size() == NODES,
        "all nodes are members");
    await(
        () ->
            admin.describeMetadataQuorum().quorumInfo().get(20, TimeUnit.SECONDS).voters().size()
                == NODES,
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
          what);
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
      admin.close(java.time.Duration.ZERO);
      for (NodeProcess node : nodes.values()) {
        node.close();
      }
      for (SmallDisk disk : disks.values()) {
        disk.close();
      }
    } catch (IOException failure) {
      throw failure;
    } catch (Exception failure) {
      throw new IOException(failure);
    }
  }
}
