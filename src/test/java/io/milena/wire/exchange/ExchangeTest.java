package io.milena.wire.exchange;

import static io.milena.wire.exchange.ExchangeNode.await;
import static io.milena.wire.exchange.ExchangeNode.led;
import static io.milena.wire.exchange.ExchangeNode.registered;
import static org.assertj.core.api.Assertions.assertThat;

import io.milena.log.AppendOrigin;
import io.milena.log.AppendOutcome;
import io.milena.log.FileRegion;
import io.milena.log.LogView;
import io.milena.metadata.MetadataRecord;
import io.milena.metadata.ReplicaSetImage;
import io.milena.replication.ReplicaView;
import io.milena.replication.ReplicationQuota;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.IntStream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.network.TransferableChannel;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Leaders and followers of two or three nodes over real sockets and real logs. */
@Timeout(240)
class ExchangeTest {
  private static final Uuid TOPIC = new Uuid(5, 5);
  private static final int PARTITIONS = 5;
  private static final int SET = 0;

  @TempDir Path directory;

  private final List<ExchangeNode> nodes = new ArrayList<>();
  private final Random random = new Random(1);

  @BeforeEach
  void start() throws Exception {
    for (int id = 1; id <= 3; id++) {
      nodes.add(new ExchangeNode(id, directory));
    }
    for (ExchangeNode node : nodes) {
      registerAll(node);
      node.apply(
          led(SET, List.of(1, 2, 3), 1, 1),
          new MetadataRecord.TopicCreated(
              "t", TOPIC, false, IntStream.range(0, PARTITIONS).mapToObj(_ -> SET).toList()));
    }
  }

  private void registerAll(ExchangeNode node) {
    for (ExchangeNode other : nodes) {
      node.apply(registered(other.id, other.nodeEpoch, other.port()));
    }
  }

  @AfterEach
  void stop() throws Exception {
    for (ExchangeNode node : nodes.reversed()) {
      node.close();
    }
  }

  private ExchangeNode node(int id) {
    return nodes.get(id - 1);
  }

  private TestReplica replica(int node, int partition) {
    return node(node).replica("t", partition);
  }

  /** A record on its way. */
  private record Sent(int partition, byte[] value, CompletableFuture<AppendOutcome> reply) {
    AppendOutcome outcome() {
      await("acknowledged", reply::isDone);
      return reply.join();
    }
  }

  private Sent append(int leader, int partition, int valueBytes) {
    byte[] value = new byte[valueBytes];
    random.nextBytes(value);
    return new Sent(partition, value, append(replica(leader, partition), value));
  }

  private static CompletableFuture<AppendOutcome> append(TestReplica replica, byte[] value) {
    return replica
        .append(
            MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(1L, null, value)),
            -1,
            AppendOrigin.CLIENT,
            (short) -1,
            60_000)
        .toCompletableFuture();
  }

  private static boolean isCaughtUp(TestReplica leader, TestReplica follower) {
    ReplicaView leading = leader.view();
    ReplicaView following = follower.view();
    return following.log().logEndOffset() == leading.log().logEndOffset()
        && following.highWatermark() == leading.highWatermark()
        && leading.highWatermark() == leading.log().logEndOffset()
        && following.log().latestLeaderEpoch() == leading.log().latestLeaderEpoch();
  }

  private void awaitEqual(int leader, int... followers) {
    for (int follower : followers) {
      for (int p = 0; p < PARTITIONS; p++) {
        TestReplica from = replica(leader, p);
        TestReplica to = replica(follower, p);
        await(to + " caught up", () -> isCaughtUp(from, to));
        assertThat(bytes(to.view().log())).isEqualTo(bytes(from.view().log()));
      }
    }
  }

  private void throttle(String setting, String replicas) {
    for (ExchangeNode node : nodes) {
      node.apply(
          new MetadataRecord.ReplicaSetChanged(
              new ReplicaSetImage(
                  SET,
                  List.of(1, 2, 3),
                  List.of(),
                  List.of(),
                  1,
                  2,
                  List.of(1, 2),
                  List.of(),
                  List.of(),
                  2,
                  false)),
          new MetadataRecord.ConfigsChanged(
              new ConfigResource(ConfigResource.Type.TOPIC, "t"),
              Map.of(setting, Optional.of(replicas))));
    }
  }

  private void assertThrottled(ExchangeNode limited) {
    for (int p = 0; p < PARTITIONS; p++) {
      for (int i = 0; i < 20; i++) {
        append(1, p, 10_000).outcome();
      }
    }
    for (int p = 0; p < PARTITIONS; p++) {
      TestReplica from = replica(1, p);
      TestReplica inSync = replica(2, p);
      await("in sync is not throttled", () -> isCaughtUp(from, inSync));
      if (p != 2) {
        TestReplica other = replica(3, p);
        await("what is not named is not throttled", () -> isCaughtUp(from, other));
      }
    }
    assertThat(replica(3, 2).view().log().logEndOffset()).isZero();
    limited.throttle().limit(1, 1, System.nanoTime());
    await("one answer gets through", () -> replica(3, 2).view().log().logEndOffset() > 0);
    append(1, 2, 10_000).outcome();
    append(1, 0, 10).outcome();
    await("others go on", () -> isCaughtUp(replica(1, 0), replica(3, 0)));
    assertThat(replica(3, 2).view().log().logEndOffset())
        .as("that answer is paid for in hours")
        .isLessThan(replica(1, 2).view().log().logEndOffset());
    limited
        .throttle()
        .limit(ReplicationQuota.UNLIMITED, ReplicationQuota.UNLIMITED, System.nanoTime());
    awaitEqual(1, 3);
  }

  /** KIP-73. */
  @Test
  void aThrottledLeaderHoldsBackWhatItSendsToWhoIsNotInSync() {
    node(1).throttle().limit(0, ReplicationQuota.UNLIMITED, System.nanoTime());
    throttle(ReplicationThrottle.LEADING, "2:1,3:2");
    assertThrottled(node(1));
  }

  @Test
  void aThrottledFollowerHoldsBackWhatItAsksFor() {
    node(3).throttle().limit(ReplicationQuota.UNLIMITED, 0, System.nanoTime());
    throttle(ReplicationThrottle.FOLLOWING, "2:3,1:2");
    assertThrottled(node(3));
  }

  /** Everything in a log, from its start on. */
  private static byte[] bytes(LogView log) {
    try {
      ByteBuffer all = ByteBuffer.allocate((int) log.sizeBytes());
      long next = log.logStartOffset();
      while (next < log.logEndOffset()) {
        FileRegion region = log.read(next, Integer.MAX_VALUE, Long.MAX_VALUE, true);
        ByteBuffer part = ByteBuffer.allocate(region.sizeInBytes());
        region.writeTo(new Into(part), 0, region.sizeInBytes());
        MemoryRecords records = MemoryRecords.readableRecords(part.flip());
        next = records.lastBatch().orElseThrow().nextOffset();
        all.put(part);
      }
      return Arrays.copyOf(all.array(), all.position());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private record Into(ByteBuffer target) implements TransferableChannel {
    @Override
    public long transferFrom(FileChannel file, long positionBytes, long countBytes)
        throws IOException {
      while (target.hasRemaining()) {
        file.read(target, positionBytes + target.position());
      }
      return countBytes;
    }

    @Override
    public boolean hasPendingWrites() {
      return false;
    }

    @Override
    public int write(ByteBuffer source) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long write(ByteBuffer[] sources) {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }

  private List<Sent> appendMany(int leader, int count) {
    List<Sent> appended = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int valueBytes =
          switch (random.nextInt(20)) {
            case 0 -> random.nextInt(150_000);
            case 1, 2, 3 -> random.nextInt(20_000);
            default -> random.nextInt(500);
          };
      appended.add(append(leader, random.nextInt(PARTITIONS), valueBytes));
    }
    return appended;
  }

  private static void assertAcknowledged(List<Sent> appended) {
    appended.forEach(sent -> assertThat(sent.outcome()).isInstanceOf(AppendOutcome.Appended.class));
  }

  @Test
  void everyReplicaGetsEveryByteAndTheLeaderHearsOfIt() {
    for (int round = 0; round < 5; round++) {
      assertAcknowledged(appendMany(1, 100));
    }
    assertAcknowledged(List.of(append(1, 0, 900_000)));
    awaitEqual(1, 2, 3);
    await("a session for each follower", () -> node(1).leading().sessionCount() == 2);
  }

  @Test
  void oneRecordAtATime() {
    for (int i = 0; i < 300; i++) {
      assertAcknowledged(List.of(append(1, i % PARTITIONS, 10)));
    }
    awaitEqual(1, 2, 3);
  }

  @Test
  void slowReplicaOnAnotherThread() {
    try (ExecutorService other = Executors.newSingleThreadExecutor()) {
      for (int p = 0; p < PARTITIONS; p++) {
        replica(2, p).taking = other;
      }
      for (int round = 0; round < 5; round++) {
        assertAcknowledged(appendMany(1, 100));
      }
      awaitEqual(1, 2, 3);
    }
  }

  @Test
  void replicaThatTakesNothingHoldsBackOnlyItself() {
    LinkedBlockingQueue<Runnable> stuck = new LinkedBlockingQueue<>();
    replica(2, 0).taking = stuck::add;
    Sent waiting = append(1, 0, 100);
    await("the answer is with the replica", () -> !stuck.isEmpty());
    for (int i = 0; i < 100; i++) {
      assertAcknowledged(List.of(append(1, 1 + i % (PARTITIONS - 1), 10_000)));
    }
    assertThat(waiting.reply().isDone()).isFalse();
    replica(2, 0).taking = Runnable::run;
    stuck.forEach(Runnable::run);
    assertAcknowledged(List.of(waiting));
    awaitEqual(1, 2, 3);
  }

  @Test
  void manySlowReplicasHoldLittleMemory() {
    LinkedBlockingQueue<Runnable> stuck = new LinkedBlockingQueue<>();
    for (int p = 0; p < PARTITIONS; p++) {
      replica(2, p).taking = stuck::add;
    }
    List<Sent> appended = new ArrayList<>();
    for (int p = 0; p < PARTITIONS; p++) {
      for (int i = 0; i < 20; i++) {
        appended.add(append(1, p, 50_000));
      }
    }
    await("a first answer", () -> !stuck.isEmpty());
    for (int p = 0; p < PARTITIONS; p++) {
      replica(2, p).taking =
          task -> {
            stuck.add(task);
          };
    }
    // What is stuck comes through a little at a time.
    while (!appended.stream().allMatch(sent -> sent.reply().isDone())) {
      await(
          "more of it",
          () -> !stuck.isEmpty() || appended.stream().allMatch(sent -> sent.reply().isDone()));
      Runnable next = stuck.poll();
      if (next != null) {
        next.run();
      }
    }
    for (int p = 0; p < PARTITIONS; p++) {
      replica(2, p).taking = Runnable::run;
    }
    stuck.forEach(Runnable::run);
    assertAcknowledged(appended);
    awaitEqual(1, 2, 3);
  }

  @Test
  void fullDiskAtTheFollowerIsTriedAgain() {
    replica(2, 0).refusals.set(5);
    List<Sent> appended = List.of(append(1, 0, 10), append(1, 1, 10));
    assertAcknowledged(appended);
    assertThat(replica(2, 0).refusals.get()).isZero();
    awaitEqual(1, 2, 3);
  }

  @Test
  void lostLinksComeBack() {
    for (int round = 0; round < 10; round++) {
      node(1).relay().cutAfter(random.nextInt(200_000));
      assertAcknowledged(appendMany(1, 100));
    }
    awaitEqual(1, 2, 3);
  }

  @Test
  void followersOfAnotherLeaderTruncateWhatItDoesNotHave() {
    assertAcknowledged(appendMany(1, 50));
    awaitEqual(1, 2, 3);
    // Node 1 appends what nobody else gets, in an epoch that the others left behind.
    node(2).apply(led(SET, List.of(1, 2, 3), 2, 2));
    node(3).apply(led(SET, List.of(1, 2, 3), 2, 2));
    for (int p = 0; p < PARTITIONS; p++) {
      TestReplica leading = replica(2, p);
      await("node 2 leads", () -> leading.view().leaderEpoch() == 2);
    }
    List<Sent> lost = appendMany(1, 30);
    List<Sent> kept = appendMany(2, 60);
    node(1).apply(led(SET, List.of(1, 2, 3), 2, 2));
    assertAcknowledged(kept);
    lost.forEach(sent -> assertThat(sent.outcome()).isInstanceOf(AppendOutcome.Rejected.class));
    awaitEqual(2, 1, 3);
  }

  @Test
  void leadersChangeMidStream() {
    List<Sent> appended = new ArrayList<>();
    int epoch = 2;
    for (int round = 0; round < 12; round++, epoch++) {
      int leader = 1 + epoch % 3;
      int current = epoch;
      List<ExchangeNode> order = new ArrayList<>(nodes);
      java.util.Collections.shuffle(order, random);
      order.forEach(node -> node.apply(led(SET, List.of(1, 2, 3), leader, current)));
      appended.addAll(appendMany(leader, 40));
    }
    awaitEqual(1 + (epoch - 1) % 3, IntStream.of(1, 2, 3).toArray());
    // What was acknowledged by one leader is with the last one, where it was.
    List<List<Record>> logs = new ArrayList<>();
    for (int p = 0; p < PARTITIONS; p++) {
      List<Record> records = new ArrayList<>();
      ByteBuffer all = ByteBuffer.wrap(bytes(replica(1, p).view().log()));
      MemoryRecords.readableRecords(all).records().forEach(records::add);
      logs.add(records);
    }
    for (Sent sent : appended) {
      if (sent.outcome() instanceof AppendOutcome.Appended(long offset, long _, long _)) {
        Record found = logs.get(sent.partition()).get((int) offset);
        assertThat(found.offset()).isEqualTo(offset);
        assertThat(Utils.toArray(found.value())).isEqualTo(sent.value());
      } else {
        assertThat(sent.outcome()).isInstanceOf(AppendOutcome.Rejected.class);
      }
    }
  }

  @Test
  void followerBelowTheLeadersLogBeginsAnew() {
    node(3).apply(led(SET, List.of(1, 2, 3), -1, 2));
    node(1).apply(led(SET, List.of(1, 2, 3), 1, 2));
    node(2).apply(led(SET, List.of(1, 2, 3), 1, 2));
    List<Sent> appended = appendMany(1, 100);
    await("node 2 has it", () -> replica(2, 0).view().log().logEndOffset() > 0);
    long start = replica(1, 0).view().log().logEndOffset() - 1;
    replica(1, 0).advanceLogStartOffset(start);
    node(3).apply(led(SET, List.of(1, 2, 3), 1, 3));
    node(2).apply(led(SET, List.of(1, 2, 3), 1, 3));
    node(1).apply(led(SET, List.of(1, 2, 3), 1, 3));
    assertAcknowledged(appended);
    awaitEqual(1, 3);
    assertThat(replica(3, 0).view().log().logStartOffset()).isEqualTo(start);
  }

  @Test
  void logStartOffsetsTravelBothWays() {
    assertAcknowledged(List.of(append(1, 0, 10), append(1, 0, 10)));
    awaitEqual(1, 2, 3);
    replica(1, 0).advanceLogStartOffset(1);
    await("node 2 follows", () -> replica(2, 0).view().log().logStartOffset() == 1);
    await("node 3 follows", () -> replica(3, 0).view().log().logStartOffset() == 1);
    assertAcknowledged(List.of(append(1, 0, 10)));
    awaitEqual(1, 2, 3);
  }

  @Test
  void nodeOfAnEarlierLifeIsRefusedAndTheNewOneServed() {
    assertAcknowledged(appendMany(1, 10));
    node(1).apply(registered(2, 12, node(2).port()));
    Sent waiting = append(1, 0, 10);
    await("node 3 has it", () -> isAtEnd(3, 0));
    await("only node 3 is served", () -> node(1).leading().sessionCount() <= 2);
    assertThat(waiting.reply().isDone()).isFalse();
    node(2).nodeEpoch = 12;
    assertAcknowledged(List.of(waiting));
    awaitEqual(1, 2, 3);
  }

  private boolean isAtEnd(int node, int partition) {
    return replica(node, partition).view().log().logEndOffset()
        == replica(1, partition).view().log().logEndOffset();
  }

  @Test
  void imagesThatLagBehindEachOther() {
    Uuid second = new Uuid(6, 6);
    MetadataRecord created = new MetadataRecord.TopicCreated("u", second, false, List.of(SET));
    node(2).apply(created);
    assertAcknowledged(appendMany(1, 10));
    node(1).apply(created);
    CompletableFuture<AppendOutcome> appended = append(node(1).replica("u", 0), new byte[9]);
    node(3).apply(created);
    assertAcknowledged(List.of(new Sent(0, new byte[9], appended)));
  }

  @Test
  void deletedTopicIsLeftAndItsLinkWithIt() {
    assertAcknowledged(appendMany(1, 10));
    TestReplica gone = replica(2, 0);
    for (ExchangeNode node : nodes) {
      node.apply(new MetadataRecord.TopicDeleted(TOPIC));
    }
    await("no session is left", () -> node(1).leading().sessionCount() == 0);
    assertThat(gone.listenerCount()).isZero();
  }

  @Test
  void idlePartitionsSayNothing() {
    assertAcknowledged(appendMany(1, 20));
    awaitEqual(1, 2, 3);
    for (int attempt = 0; attempt < 20; attempt++) {
      int heard = replica(1, 0).positions.get();
      int told = replica(2, 0).answers.get();
      for (int i = 0; i < 10; i++) {
        assertAcknowledged(List.of(append(1, 1, 10)));
      }
      awaitEqual(1, 2, 3);
      if (replica(1, 0).positions.get() == heard && replica(2, 0).answers.get() == told) {
        return;
      }
      // A machine that stalled has lost a link, after which everything is said again.
    }
    throw new AssertionError("partitions without news are spoken of again and again");
  }

  @Test
  void settingsThatCannotBe() {
    for (Map.Entry<String, int[]> wrong :
        Map.of(
                "wait", new int[] {0, 1, 1, 0},
                "bytes", new int[] {1, 0, 1, 0},
                "backoff", new int[] {1, 1, 1, -1})
            .entrySet()) {
      int[] values = wrong.getValue();
      org.assertj.core.api.Assertions.assertThatThrownBy(
              () -> new ExchangeSettings(values[0], values[1], values[2], values[3]))
          .as(wrong.getKey())
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("replica.fetch");
    }
  }
}
