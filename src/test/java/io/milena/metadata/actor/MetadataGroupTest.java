package io.milena.metadata.actor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.ActorRef;
import akka.persistence.testkit.PersistenceTestKitPlugin;
import akka.persistence.testkit.PersistenceTestKitSnapshotPlugin;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.milena.common.Clock;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataCommand.NewTopic;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataInvariants;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.NodeImage;
import io.milena.raft.HardState;
import io.milena.raft.Membership;
import io.milena.raft.Message;
import io.milena.raft.RaftConfig;
import io.milena.raft.RaftStatus;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetadataGroupTest {

  private static final Duration DEADLINE = Duration.ofSeconds(60);

  private static final Config CONFIG =
      PersistenceTestKitPlugin.config()
          .withFallback(PersistenceTestKitSnapshotPlugin.config())
          .withFallback(
              ConfigFactory.parseString(
                  """
                  akka.persistence.testkit.events.serialize = on
                  akka.persistence.testkit.snapshots.serialize = on
                  akka.actor.provider = local
                  """));

  private final List<ActorTestKit> testKits = new ArrayList<>();

  @AfterEach
  void stopSystems() {
    testKits.forEach(ActorTestKit::shutdownTestKit);
  }

  /** One node: its actor system with its journal, and the member of the group in it, if started. */
  private final class Node {
    final ActorTestKit testKit;
    final int id;
    MetadataPublisher publisher = new MetadataPublisher();
    ActorRef<MetadataGroup.Command> group;
    MetadataClient metadata;

    Node(int id) {
      this(id, CONFIG);
    }

    Node(int id, Config config) {
      this.id = id;
      testKit = ActorTestKit.create("metadata", config.withFallback(ConfigFactory.load()));
      testKits.add(testKit);
    }

    void start(MetadataGroupSettings settings, Peers peers) {
      publisher = new MetadataPublisher();
      group =
          testKit.spawn(
              MetadataGroup.create(settings, publisher, new LeaderContact(Clock.system()), peers));
      metadata = new MetadataClient(testKit.system(), group, publisher, DEADLINE);
    }

    void startAlone() {
      start(MetadataGroupSettings.ofSoleVoter(id, Map.of(), 1), Peers.none());
    }

    void stop() {
      testKit.stop(group, DEADLINE);
    }

    RaftStatus status() {
      TestProbe<RaftStatus> probe = testKit.createTestProbe();
      group.tell(new MetadataGroup.GetStatus(probe.ref()));
      return probe.receiveMessage(DEADLINE);
    }

    <R extends MetadataReply> R submit(MetadataCommand<R> command) throws Exception {
      return metadata.submit(command).toCompletableFuture().get(20, TimeUnit.SECONDS);
    }

    void registerAndUnfence() throws Exception {
      long nodeEpoch = submit(registration(id, Uuid.randomUuid())).nodeEpoch();
      assertThat(submit(new MetadataCommand.UnfenceNode(id, nodeEpoch)).error())
          .isEqualTo(Errors.NONE);
    }

    MetadataReply.TopicCreated create(String topic, int partitions) throws Exception {
      return submit(creation(topic, partitions)).topics().getFirst();
    }
  }

  private static MetadataCommand.RegisterNode registration(int id, Uuid incarnation) {
    return new MetadataCommand.RegisterNode(
        id,
        incarnation,
        new Uuid(7, 7),
        List.of(new NodeImage.Endpoint("PLAINTEXT", "localhost", 9092, "PLAINTEXT")),
        new NodeImage.ClusterAddress("localhost", 19092),
        Optional.empty(),
        List.of(),
        false);
  }

  private static MetadataCommand.CreateTopics creation(String topic, int partitions) {
    return new MetadataCommand.CreateTopics(
        List.of(new NewTopic(topic, partitions, 1, Map.of(), Map.of("retention.ms", "7"), false)),
        false);
  }

  @Test
  void createdTopicIsInTheImageWhenTheReplyArrives() throws Exception {
    Node node = new Node(0);
    node.startAlone();
    node.registerAndUnfence();
    MetadataReply.TopicCreated created = node.create("t", 5_000);
    assertThat(created.error()).isEqualTo(Errors.NONE);
    MetadataImage image = node.metadata.image();
    assertThat(image.topic("t").partitions()).hasSize(5_000);
    assertThat(image.topic(created.topicId().orElseThrow()).name()).isEqualTo("t");
    MetadataInvariants.check(image);
  }

  @Test
  void restartedMemberRecoversTheSameImageFromItsJournal() throws Exception {
    Node node = new Node(0);
    node.startAlone();
    node.registerAndUnfence();
    node.create("a", 3);
    node.create("b", 4);
    MetadataImage before = node.metadata.image();
    node.stop();
    node.startAlone();
    assertThat(node.create("a", 1).error()).isEqualTo(Errors.TOPIC_ALREADY_EXISTS);
    assertThat(node.metadata.image()).isEqualTo(before);
  }

  @Test
  void segmentJournalKeepsTheImageOverARestartOfTheNode(@TempDir Path directory) throws Exception {
    Config config =
        ConfigFactory.parseMap(
            Map.of(
                "akka.actor.provider", "local",
                "akka.persistence.journal.plugin", "milena.journal",
                "akka.persistence.snapshot-store.plugin", "milena.snapshot-store",
                "milena.journal.dir", directory.toString()));
    Node first = new Node(0, config);
    first.startAlone();
    first.registerAndUnfence();
    first.create("t", 1_000);
    MetadataImage before = first.metadata.image();
    first.testKit.shutdownTestKit();
    Node second = new Node(0, config);
    second.startAlone();
    assertThat(second.create("t", 1).error()).isEqualTo(Errors.TOPIC_ALREADY_EXISTS);
    assertThat(second.metadata.image()).isEqualTo(before);
  }

  @Test
  void snapshotAndLogTogetherGiveTheSameImage() throws Exception {
    Node node = new Node(0);
    MetadataGroupSettings settings =
        withSnapshots(MetadataGroupSettings.ofSoleVoter(0, Map.of(), 1));
    node.start(settings, Peers.none());
    node.registerAndUnfence();
    for (int i = 0; i < 40; i++) {
      node.create("topic-" + i, 2);
    }
    assertThat(node.status().snapshotIndex()).isPositive();
    MetadataImage before = node.metadata.image();
    node.stop();
    node.start(settings, Peers.none());
    node.create("topic-0", 1);
    assertThat(node.metadata.image()).isEqualTo(before);
  }

  private static MetadataGroupSettings withSnapshots(MetadataGroupSettings settings) {
    return new MetadataGroupSettings(
        settings.raft(),
        settings.initialMembership(),
        settings.nodeConfig(),
        settings.seed(),
        settings.tickInterval(),
        settings.submitTimeout(),
        settings.silenceTimeout(),
        settings.votersTarget(),
        1_000,
        "",
        "");
  }

  @Test
  void manyEventsAreCompactedInTheSnapshotStore() throws Exception {
    Node node = new Node(0);
    node.startAlone();
    node.registerAndUnfence();
    long nodeEpoch = node.metadata.image().nodes().get(0).nodeEpoch();
    long last = 0;
    for (int i = 0; i < 1_100; i++) {
      last = node.submit(new MetadataCommand.AllocateProducerIds(0, nodeEpoch)).firstProducerId();
    }
    node.stop();
    node.startAlone();
    assertThat(node.submit(new MetadataCommand.AllocateProducerIds(0, nodeEpoch)).firstProducerId())
        .isEqualTo(last + 1_000);
  }

  @Test
  void concurrentCommandsAreDecidedOneAfterTheOther() throws Exception {
    Node node = new Node(0);
    node.startAlone();
    node.registerAndUnfence();
    List<CompletableFuture<MetadataReply.TopicsCreated>> replies = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      replies.add(node.metadata.submit(creation("same", 1 + i)).toCompletableFuture());
    }
    List<Errors> errors = new ArrayList<>();
    for (var reply : replies) {
      errors.add(reply.get(20, TimeUnit.SECONDS).topics().getFirst().error());
    }
    assertThat(errors).filteredOn(Errors.NONE::equals).hasSize(1);
    assertThat(errors).filteredOn(Errors.TOPIC_ALREADY_EXISTS::equals).hasSize(99);
  }

  @Test
  void listenersSeeEveryImageInOrderAndLateOnesEverythingFirst() throws Exception {
    Node node = new Node(0);
    node.startAlone();
    List<Long> early = new ArrayList<>();
    node.metadata.subscribe((_, image) -> early.add(image.appliedIndex()));
    node.registerAndUnfence();
    node.create("a", 1);
    List<Integer> late = new ArrayList<>();
    node.metadata.subscribe((delta, _) -> late.add(delta.topics().size()));
    node.create("b", 1);
    assertThat(early).hasSize(4).isSorted().doesNotHaveDuplicates();
    assertThat(late).containsExactly(1, 1);
  }

  @Test
  void listenerThatFailsKeepsNobodyFromGoingOn() throws Exception {
    Node node = new Node(0);
    node.startAlone();
    node.metadata.subscribe((_, _) -> {
      throw new IllegalStateException("planted");
    });
    node.registerAndUnfence();
    assertThat(node.create("a", 1).error()).isEqualTo(Errors.NONE);
  }

  @Test
  void commandsBeforeTheElectionAreParkedBoundedlyAndThenServedAsOneBatch() throws Exception {
    Map<Integer, ActorRef<MetadataGroup.Command>> members = new ConcurrentHashMap<>();
    Node first = new Node(0);
    first.start(ofTwo(0), peers(0, members));
    List<CompletableFuture<MetadataReply.NodeRegistered>> parked = new ArrayList<>();
    for (int id = 0; id < MetadataGroup.PARKED_MAX; id++) {
      parked.add(first.metadata.submit(registration(id, new Uuid(1, id))).toCompletableFuture());
    }
    CompletableFuture<MetadataReply.NodeRegistered> tooMany =
        first.metadata.submit(registration(5_000, new Uuid(1, 1))).toCompletableFuture();
    assertThatThrownBy(() -> tooMany.get(10, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(TimeoutException.class)
        .hasMessageContaining("1024");
    assertThat(parked).noneMatch(CompletableFuture::isDone);

    Node second = new Node(1);
    second.start(ofTwo(1), peers(1, members));
    members.put(0, first.group);
    members.put(1, second.group);
    TestProbe<Object> probe = first.testKit.createTestProbe();
    probe.awaitAssert(
        DEADLINE,
        () -> {
          if (second.status().leaderId() == 1) {
            second.group.tell(new MetadataGroup.TransferLeadership(0));
          }
          assertThat(first.status().leaderId()).isEqualTo(0);
          return null;
        });
    for (var reply : parked) {
      assertThat(reply.get(20, TimeUnit.SECONDS).error()).isEqualTo(Errors.NONE);
    }
    assertThat(first.metadata.image().nodes()).hasSize(MetadataGroup.PARKED_MAX);
    assertThat(first.status().last().index()).isLessThan(MetadataGroup.PARKED_MAX / 4);
    probe.awaitAssert(
        DEADLINE,
        () -> {
          assertThat(second.metadata.image()).isEqualTo(first.metadata.image());
          return null;
        });
  }

  /** The one that is to take over never hears of it, so that the transfer ends by its time. */
  @Test
  void commandsWaitWhileLeadershipIsBeingTransferred() throws Exception {
    Map<Integer, ActorRef<MetadataGroup.Command>> members = new ConcurrentHashMap<>();
    List<Node> nodes = List.of(new Node(0), new Node(1));
    for (Node node : nodes) {
      node.start(ofTwo(node.id), withoutTransfers(peers(node.id, members)));
      members.put(node.id, node.group);
    }
    Node leader = nodes.get(awaitLeader(nodes.getFirst()));
    leader.registerAndUnfence();
    for (int i = 0; i < 3; i++) {
      leader.group.tell(new MetadataGroup.TransferLeadership(1 - leader.id));
      assertThat(leader.create("topic-" + i, 1).error()).isEqualTo(Errors.NONE);
    }
  }

  private static Peers withoutTransfers(Peers peers) {
    return new Peers() {
      @Override
      public void send(int to, MetadataGroup.Remote message) {
        if (!(message instanceof MetadataGroup.Receive(_, Message.TimeoutNow _))) {
          peers.send(to, message);
        }
      }

      @Override
      public List<Integer> contacts() {
        return peers.contacts();
      }
    };
  }

  private static int awaitLeader(Node node) {
    node.testKit
        .createTestProbe()
        .awaitAssert(
            DEADLINE,
            () -> {
              assertThat(node.status().leaderId()).isNotEqualTo(HardState.NOBODY);
              return null;
            });
    return node.status().leaderId();
  }

  @Test
  void withoutALeaderACommandEndsInATimeout() {
    Node node = new Node(0);
    MetadataGroupSettings two = ofTwo(0);
    node.start(
        new MetadataGroupSettings(
            two.raft(),
            two.initialMembership(),
            two.nodeConfig(),
            two.seed(),
            two.tickInterval(),
            Duration.ofMillis(100),
            Duration.ZERO,
            0,
            two.snapshotBytes(),
            "",
            ""),
        Peers.none());
    CompletableFuture<MetadataReply.NodeRegistered> reply =
        node.metadata.submit(registration(0, new Uuid(1, 1))).toCompletableFuture();
    assertThatThrownBy(() -> reply.get(10, TimeUnit.SECONDS))
        .hasCauseInstanceOf(TimeoutException.class)
        .hasMessageContaining("majority of the voters [0, 1]");
  }

  private static MetadataGroupSettings ofTwo(int id) {
    return new MetadataGroupSettings(
        RaftConfig.defaults(id),
        Membership.ofVoters(0, 1),
        Map.of(),
        id + 1,
        Duration.ofMillis(20),
        Duration.ofSeconds(30),
        Duration.ZERO,
        0,
        MetadataGroupSettings.DEFAULT_SNAPSHOT_BYTES,
        "",
        "");
  }

  private static Peers peers(int self, Map<Integer, ActorRef<MetadataGroup.Command>> members) {
    return new Peers() {
      @Override
      public void send(int to, MetadataGroup.Remote message) {
        ActorRef<MetadataGroup.Command> peer = members.get(to);
        if (peer != null) {
          peer.tell(message);
        }
      }

      @Override
      public List<Integer> contacts() {
        return members.keySet().stream().filter(member -> member != self).toList();
      }
    };
  }
}
