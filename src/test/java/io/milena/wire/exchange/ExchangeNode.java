package io.milena.wire.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.common.Clock;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataDelta;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataRecord;
import io.milena.metadata.MetadataReplay;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaDirectory;
import io.milena.wire.KafkaServer;
import io.milena.wire.ListenAddress;
import io.milena.wire.WireConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * What of a node takes part in the exchange: listener, both sides of it, replicas without actors.
 * It has an image of its own, so that nodes may lag behind each other; replicas follow it at once.
 */
final class ExchangeNode implements MetadataService, ReplicaDirectory, AutoCloseable {
  static final Uuid CLUSTER = new Uuid(7, 7);
  static final ExchangeSettings SETTINGS = new ExchangeSettings(500, 300_000, 100_000, 20);

  private static final Duration DEADLINE = Duration.ofSeconds(60);

  final int id;
  private final Path directory;
  private final Map<TopicPartition, TestReplica> replicas = new ConcurrentHashMap<>();
  private final List<MetadataListener> listeners = new ArrayList<>();
  private final KafkaServer server;
  private final Relay relay;
  private final ReplicationThrottle throttle;
  private final LeaderExchange leading;
  private final FollowerLinks following;
  private volatile MetadataImage image = MetadataImage.EMPTY;

  /** Of its registration, as the node believes. */
  volatile long nodeEpoch;

  ExchangeNode(int id, Path directory) throws IOException {
    this.id = id;
    this.directory = directory.resolve("node-" + id);
    this.nodeEpoch = id;
    this.throttle = new ReplicationThrottle(id);
    this.leading = new LeaderExchange(id, CLUSTER, this, this, throttle, Clock.system());
    this.server =
        KafkaServer.bind(
            List.of(new ListenAddress("PLAINTEXT", "127.0.0.1", 0)),
            List.of(),
            leading.apis(),
            WireConfig.defaults(),
            Clock.system());
    this.following =
        new FollowerLinks(
            id,
            CLUSTER,
            () -> nodeEpoch,
            this,
            this,
            server.loops(),
            SETTINGS,
            throttle,
            Clock.system());
    listeners.add(this::updateReplicas);
    listeners.add(throttle);
    listeners.add(leading);
    listeners.add(following);
    server.start();
    this.relay = new Relay(server.ports().get("PLAINTEXT"));
  }

  /** Where the other nodes reach it. */
  int port() {
    return relay.port();
  }

  /** What its followers' links run through. */
  Relay relay() {
    return relay;
  }

  ReplicationThrottle throttle() {
    return throttle;
  }

  LeaderExchange leading() {
    return leading;
  }

  /** The registration of a node. */
  static MetadataRecord registered(int id, long nodeEpoch, int port) {
    return new MetadataRecord.NodeRegistered(
        new NodeImage(
            id,
            new Uuid(1, id),
            nodeEpoch,
            List.of(new NodeImage.Endpoint("PLAINTEXT", "127.0.0.1", port, "PLAINTEXT")),
            new NodeImage.ClusterAddress("127.0.0.1", 1),
            Optional.empty(),
            List.of(),
            false,
            false));
  }

  /** A set whose assigned replicas are all in sync. */
  static MetadataRecord led(int setId, List<Integer> nodes, int leader, int epoch) {
    return new MetadataRecord.ReplicaSetChanged(
        new ReplicaSetImage(
            setId, nodes, List.of(), List.of(), leader, epoch, nodes, List.of(), List.of(), epoch,
            false));
  }

  /** This node's image moves on. */
  synchronized void apply(MetadataRecord... records) {
    MetadataReplay.Applied applied =
        MetadataReplay.apply(image, image.appliedIndex() + 1, List.of(records));
    image = applied.image();
    listeners.forEach(listener -> listener.onImage(applied.delta(), image));
  }

  private void updateReplicas(MetadataDelta delta, MetadataImage newImage) {
    for (TopicImage topic : newImage.topicsByName().values()) {
      topic
          .partitions()
          .forEach(partition -> {
            ReplicaSetImage set = newImage.replicaSetOf(partition);
            if (set.replicas().contains(id)) {
              TestReplica replica =
                  replicas.computeIfAbsent(
                      new TopicPartition(topic.name(), partition.partition()),
                      key -> new TestReplica(id, directory, key, topic.id()));
              if (set.leader() == id) {
                replica.lead(set.leaderEpoch(), set.replicas(), set.isr());
              } else if (set.leader() < 0) {
                replica.stepDown(set.leaderEpoch());
              } else {
                replica.follow(set.leaderEpoch(), set.leader());
              }
            }
          });
    }
    replicas.keySet().removeIf(key -> newImage.topicsByName().get(key.topic()) == null);
  }

  TestReplica replica(String topic, int partition) {
    return java.util.Objects.requireNonNull(replicas.get(new TopicPartition(topic, partition)));
  }

  @Override
  public @Nullable Replica find(TopicPartition partition) {
    return replicas.get(partition);
  }

  @Override
  public Collection<? extends Replica> all() {
    return replicas.values();
  }

  @Override
  public MetadataImage image() {
    return image;
  }

  @Override
  public <R extends MetadataReply> CompletionStage<R> submit(MetadataCommand<R> command) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void subscribe(MetadataListener listener) {
    listeners.add(listener);
  }

  /** Waits until a condition holds. */
  static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + DEADLINE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - deadline).as("not in time: " + what).isNegative();
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
  }

  @Override
  public void close() throws IOException {
    following.close();
    relay.close();
    assertThat(server.stop(1_000)).succeedsWithin(DEADLINE);
    assertThat(server.metrics().bufferBytesUsed()).as("memory still held").isZero();
    assertThat(leading.sessionCount()).isZero();
    replicas.values().forEach(replica -> assertThat(replica.listenerCount()).isZero());
    replicas.values().forEach(TestReplica::close);
  }
}
