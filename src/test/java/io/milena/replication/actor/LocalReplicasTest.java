package io.milena.replication.actor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import com.typesafe.config.ConfigFactory;
import io.milena.common.Clock;
import io.milena.log.AppendOrigin;
import io.milena.log.AppendOutcome;
import io.milena.log.LogConfig;
import io.milena.log.LogDirectory;
import io.milena.metadata.Decision;
import io.milena.metadata.DecisionContext;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataCore;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataRecord;
import io.milena.metadata.MetadataReplay;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.replication.FollowerPosition;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaConfig;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Replicas that come, change their set and go as the images of node 1 say. */
@Timeout(120)
class LocalReplicasTest {

  private static final int NODE = 1;
  private static final Duration LAG_MAX = Duration.ofMillis(500);
  private static final Uuid TOPIC = new Uuid(5, 5);
  private static final TopicPartition PARTITION = new TopicPartition("t", 0);

  @TempDir Path directory;
  private ActorTestKit testKit;
  private ExecutorService threads;
  private LocalReplicas replicas;
  private volatile MetadataImage image = MetadataImage.EMPTY;
  private final Queue<MetadataCommand.ChangeInSyncReplicas> proposals =
      new ConcurrentLinkedQueue<>();
  private volatile boolean deciding;

  @BeforeEach
  void start() {
    testKit =
        ActorTestKit.create(
            ConfigFactory.parseString(
                    ReplicaSupervisor.DISPATCHER
                        + " { type = Dispatcher, executor = thread-pool-executor }")
                .withFallback(ConfigFactory.load()));
    threads = Executors.newCachedThreadPool();
    replicas =
        new LocalReplicas(
            NODE,
            new Uuid(1, NODE),
            LogDirectories.of(LogDirectory.open(directory)),
            (_, _) -> new ReplicaConfig(LogConfig.of(Map.of()), 1),
            new LocalReplicas.Intervals(
                Duration.ofHours(1), Duration.ofHours(1), Duration.ofHours(1)),
            new CleanerSettings(false, 1, Duration.ofHours(1), 1 << 20, 1e9),
            1_000_000_000,
            Clock.system(),
            threads,
            threads,
            threads);
    replicas.start(
        new LocalReplicas.Spawner() {
          @Override
          public <T> ActorRef<T> spawn(Behavior<T> behavior, String name) {
            return testKit.spawn(behavior, name);
          }
        },
        new InSyncProposals(new DecidingMetadata(), () -> 1, LAG_MAX));
    apply(node(1), node(2));
    apply(
        new MetadataRecord.ReplicaSetChanged(set(0, List.of(1, 2), 1, 3, false)),
        new MetadataRecord.TopicCreated("t", TOPIC, false, List.of(0, 0)));
    awaitTrue(() -> hasRole(ReplicaRole.LEADER, 3));
  }

  @AfterEach
  void stop() {
    testKit.shutdownTestKit();
    threads.shutdownNow();
  }

  private static MetadataRecord node(int id) {
    return new MetadataRecord.NodeRegistered(
        new NodeImage(
            id,
            new Uuid(1, id),
            id,
            List.of(),
            new NodeImage.ClusterAddress("localhost", 19092),
            Optional.empty(),
            List.of(),
            false,
            false));
  }

  private static ReplicaSetImage set(
      int id, List<Integer> replicas, int leader, int epoch, boolean detached) {
    return new ReplicaSetImage(
        id, replicas, List.of(), List.of(), leader, epoch, replicas, List.of(), List.of(), epoch,
        detached);
  }

  private synchronized void apply(MetadataRecord... records) {
    MetadataReplay.Applied applied =
        MetadataReplay.apply(image, image.appliedIndex() + 1, List.of(records));
    image = applied.image();
    replicas.onImage(applied.delta(), image);
  }

  private boolean hasRole(ReplicaRole role, int leaderEpoch) {
    Replica replica = replicas.find(PARTITION);
    return replica != null
        && replica.view().role() == role
        && replica.view().leaderEpoch() == leaderEpoch;
  }

  /** Decides at once what it is asked, on the asker's thread; a test has to ask for it. */
  private final class DecidingMetadata implements MetadataService {
    @Override
    public MetadataImage image() {
      return image;
    }

    @Override
    @SuppressWarnings("unchecked")
    public <R extends MetadataReply> CompletionStage<R> submit(MetadataCommand<R> command) {
      if (!deciding) {
        return CompletableFuture.failedFuture(new TimeoutException("nobody decides"));
      }
      synchronized (LocalReplicasTest.this) {
        proposals.add((MetadataCommand.ChangeInSyncReplicas) command);
        Decision<?> decision =
            MetadataCore.decide(image, command, new DecisionContext(Map.of(), Uuid::randomUuid));
        if (!decision.records().isEmpty()) {
          apply(decision.records().toArray(MetadataRecord[]::new));
        }
        return CompletableFuture.completedFuture((R) decision.reply());
      }
    }

    @Override
    public void subscribe(MetadataListener listener) {
      throw new UnsupportedOperationException();
    }
  }

  private List<Integer> isr() {
    return image.replicaSets().get(0).isr();
  }

  /** Node 2 has everything of a partition, in a life of its node. */
  private void caughtUp(int partition, long nodeEpoch) {
    Replica replica = replicas.find(new TopicPartition("t", partition));
    ReplicaView view = replica.view();
    long end = view.log().logEndOffset();
    replica.onFollowerPosition(
        new FollowerPosition(
            2, nodeEpoch, view.leaderEpoch(), 0, end, end, Clock.system().monotonicNanos()));
  }

  private static void awaitTrue(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("time is up").isLessThan(deadline);
      LockSupport.parkNanos(1_000_000);
    }
  }

  private AppendOutcome append() {
    return replicas
        .find(PARTITION)
        .append(
            MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(1L, null, new byte[9])),
            -1,
            AppendOrigin.CLIENT,
            (short) 1,
            30_000)
        .toCompletableFuture()
        .join();
  }

  @Test
  void replicaFollowsItsPartitionToAnotherSet() {
    Replica before = replicas.find(PARTITION);
    apply(
        new MetadataRecord.ReplicaSetChanged(set(7, List.of(1, 2), 1, 4, true)),
        new MetadataRecord.PartitionsMoved(TOPIC, Map.of(0, 7)));
    awaitTrue(() -> hasRole(ReplicaRole.LEADER, 4));
    assertThat(replicas.find(PARTITION)).isSameAs(before);
    assertThat(append()).isInstanceOf(AppendOutcome.Appended.class);

    apply(new MetadataRecord.ReplicaSetChanged(set(0, List.of(1, 2), 2, 9, false)));
    assertThat(hasRole(ReplicaRole.LEADER, 4)).as("its old set is another's business").isTrue();
    apply(new MetadataRecord.ReplicaSetChanged(set(7, List.of(1, 2), 2, 5, true)));
    awaitTrue(() -> !hasRole(ReplicaRole.LEADER, 4));
    awaitTrue(() -> replicas.find(PARTITION).view().leaderEpoch() == 5);
  }

  @Test
  void replicaWhoseSetLeavesThisNodeOutIsRemovedAndCanComeBackEmpty() {
    assertThat(append()).isInstanceOf(AppendOutcome.Appended.class);
    apply(
        new MetadataRecord.ReplicaSetChanged(set(7, List.of(1, 2), 1, 4, true)),
        new MetadataRecord.PartitionsMoved(TOPIC, Map.of(0, 7)));
    apply(new MetadataRecord.ReplicaSetChanged(set(7, List.of(2), 2, 5, false)));
    assertThat(replicas.find(PARTITION)).isNull();
    assertThat(replicas.find(new TopicPartition("t", 1))).isNotNull();
    awaitTrue(() -> !Files.exists(directory.resolve("t-0")));

    apply(
        new MetadataRecord.ReplicaSetChanged(set(8, List.of(2, 1), 1, 6, true)),
        new MetadataRecord.PartitionsMoved(TOPIC, Map.of(0, 8)));
    awaitTrue(() -> hasRole(ReplicaRole.LEADER, 6));
    assertThat(replicas.find(PARTITION).view().log().logEndOffset()).isZero();
    assertThat(catchThrowable(this::append)).isNull();
  }

  @Test
  void replicaWhosePartitionJoinsASetWithoutThisNodeIsRemoved() {
    apply(
        new MetadataRecord.ReplicaSetChanged(set(3, List.of(2), 2, 5, false)),
        new MetadataRecord.PartitionsMoved(TOPIC, Map.of(0, 3)));
    assertThat(replicas.find(PARTITION)).isNull();
    awaitTrue(() -> !Files.exists(directory.resolve("t-0")));
    assertThat(Files.exists(directory.resolve("t-1"))).isTrue();
  }

  @Test
  void aFollowerThatFallsBehindLeavesTheIsrAndComesBackWithEveryPartitionOfTheSet() {
    deciding = true;
    assertThat(append()).isInstanceOf(AppendOutcome.Appended.class);
    caughtUp(1, 2);
    // Of partition 0 it has nothing: the review finds that out.
    awaitTrue(() -> isr().equals(List.of(1)));
    awaitTrue(() -> replicas.find(PARTITION).view().highWatermark() == 1);
    assertThat(proposals.peek().isr()).containsExactly(new MetadataCommand.InSyncReplica(1, 1));

    proposals.clear();
    awaitTrue(() -> {
      caughtUp(1, 2);
      caughtUp(0, 2);
      return isr().equals(List.of(1, 2));
    });
    assertThat(proposals.peek().isr())
        .containsExactly(
            new MetadataCommand.InSyncReplica(1, 1), new MetadataCommand.InSyncReplica(2, 2));
    proposals.clear();
    // It is silent from now on, and has everything: reviews pass, and it stays in sync.
    LockSupport.parkNanos(LAG_MAX.multipliedBy(3).toNanos());
    assertThat(isr()).containsExactly(1, 2);
    assertThat(proposals).isEmpty();
  }
}
