package io.milena.replication;

import io.milena.log.LogConfig;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.NodeImage;
import io.milena.metadata.PartitionImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/**
 * Two to four nodes that replicate a topic in virtual time, whose every fault follows from one
 * seed: lost, late, doubled, reordered and damaged messages, one-way cuts, pauses, killed processes
 * and crashed machines, failed and torn writes, clock jumps, late images, nodes fenced for nothing,
 * elections, partitions that are added and moved, a minimum of in-sync replicas that changes.
 */
final class SimulatedReplication {

  private static final String TOPIC = "t";
  private static final int CHAOS_MS = 2_500;
  private static final int HEALING_MS_MAX = 30_000;
  private static final int TRACE_LENGTH = 80;

  /** Something that will happen; {@code node} is null for what is nobody's. */
  private record Event(
      long time, long order, @Nullable SimulatedNode node, int life, Runnable action) {}

  private record Link(int from, int to) {}

  /** Something that happened; written out only if the run fails. */
  private record Traced(long time, String what, Object... about) {
    @Override
    public String toString() {
      return time + " " + what + " " + Arrays.toString(about);
    }
  }

  /** How bad it is, in thousandths, for this seed. */
  private record Rates(
      int loss,
      int duplication,
      int delayMax,
      int kill,
      int crash,
      int cut,
      int pause,
      int fence) {}

  /** Counts of what happened: a simulation in which nothing happens proves nothing. */
  record Happened(long acknowledged, long leaderEpochs, long isrChanges, long truncations) {
    static final Happened NOTHING = new Happened(0, 0, 0, 0);

    Happened plus(Happened other) {
      return new Happened(
          acknowledged + other.acknowledged,
          leaderEpochs + other.leaderEpochs,
          isrChanges + other.isrChanges,
          truncations + other.truncations);
    }
  }

  final ReplicationChecker checker = new ReplicationChecker();
  final SplittableRandom random;
  final ReplicationFault fault;
  final SimulatedMetadata metadata;
  private final List<SimulatedNode> nodes = new ArrayList<>();
  private final PriorityQueue<Event> events =
      new PriorityQueue<>((a, b) ->
          a.time != b.time ? Long.compare(a.time, b.time) : Long.compare(a.order, b.order));
  private final Set<Link> cuts = new HashSet<>();
  private final Map<TopicIdPartition, Integer> checkedCommitted = new HashMap<>();
  private final ArrayDeque<Traced> trace = new ArrayDeque<>();
  private final Rates rates;
  private final boolean fsync;
  private final int minInSyncReplicas;
  private final LogConfig logConfig;
  private long now;
  private long order;
  private long nextValue;
  private long isrChanges;
  private long leaderEpochs;
  private long truncations;
  private boolean healed;
  private boolean lossAllowed;
  private @Nullable AssertionError broken;

  SimulatedReplication(long seed, ReplicationFault fault) {
    this.fault = fault;
    random = new SplittableRandom(seed);
    rates =
        new Rates(
            random.nextInt(150),
            random.nextInt(100),
            1 + random.nextInt(random.nextBoolean() ? 15 : 60),
            random.nextInt(60),
            random.nextInt(60),
            random.nextInt(80),
            random.nextInt(60),
            random.nextInt(60));
    fsync = random.nextInt(3) == 0;
    minInSyncReplicas = 1 + random.nextInt(3);
    logConfig = LogConfig.of(Map.of(LogConfig.DURABILITY_CONFIG, fsync ? "fsync" : "replicated"));
    metadata =
        new SimulatedMetadata(
            fault,
            minInSyncReplicas,
            fsync ? "fsync" : "replicated",
            fault == ReplicationFault.NONE && seed % 8 == 0);
    int count = 2 + random.nextInt(3);
    for (int id = 1; id <= count; id++) {
      nodes.add(new SimulatedNode(id, this));
    }
  }

  /** Runs until a promise was broken, or everything was healed and agrees. */
  void run() {
    try {
      create();
      nodes.forEach(SimulatedNode::start);
      scheduleChaos();
      scheduleClient();
      runUntil(CHAOS_MS);
      heal();
      runUntilAllAgree();
    } catch (RuntimeException | AssertionError failure) {
      StringBuilder text = new StringBuilder(failure + "\nLast events:\n");
      trace.forEach(event -> text.append("  ").append(event).append('\n'));
      text.append("Metadata: ").append(metadata.image().replicaSets().values()).append('\n');
      for (SimulatedNode node : nodes) {
        text.append(node).append(node.isServing() ? " serves\n" : " does not serve\n");
        node.replicas().forEach(replica -> text.append("  ").append(replica).append('\n'));
      }
      throw new AssertionError(text.toString(), failure);
    }
  }

  Happened happened() {
    return new Happened(checker.acknowledgedCount(), leaderEpochs, isrChanges, truncations);
  }

  /** Nodes that were there once, and a topic: the life of the cluster before the seed. */
  private void create() {
    List<Integer> replicas = new ArrayList<>();
    for (SimulatedNode node : nodes) {
      long epoch = decide(registration(node.id, new Uuid(node.id, 0), false)).nodeEpoch();
      decide(new MetadataCommand.UnfenceNode(node.id, epoch));
      replicas.add(node.id);
    }
    Collections.shuffle(replicas, new java.util.Random(random.nextLong()));
    int factor = Math.min(replicas.size(), 2 + random.nextInt(2));
    Map<Integer, List<Integer>> assignments =
        IntStream.range(0, 1 + random.nextInt(2))
            .boxed()
            .collect(Collectors.toMap(each -> each, _ -> replicas.subList(0, factor)));
    decide(
        new MetadataCommand.CreateTopics(
            List.of(new MetadataCommand.NewTopic(TOPIC, -1, -1, assignments, Map.of(), false)),
            false));
  }

  MetadataCommand.RegisterNode registration(int id, Uuid incarnation, boolean recordsMayBeLost) {
    return new MetadataCommand.RegisterNode(
        id,
        incarnation,
        new Uuid(7, 7),
        List.of(new NodeImage.Endpoint("PLAINTEXT", "host" + id, 9092, "PLAINTEXT")),
        new NodeImage.ClusterAddress("host" + id, 19092),
        Optional.empty(),
        List.of(new Uuid(3, id)),
        recordsMayBeLost);
  }

  ReplicaConfig config(MetadataImage image) {
    String override =
        image
            .overrides(new ConfigResource(ConfigResource.Type.TOPIC, TOPIC))
            .get("min.insync.replicas");
    int minimum = override == null ? minInSyncReplicas : Integer.parseInt(override);
    return new ReplicaConfig(logConfig, fault == ReplicationFault.MINIMUM_IGNORED ? 1 : minimum);
  }

  // ---- time

  long now() {
    return now;
  }

  boolean isHealed() {
    return healed;
  }

  boolean chance(int thousandths) {
    return !healed && random.nextInt(1_000) < thousandths;
  }

  SimulatedNode node(int id) {
    return nodes.get(id - 1);
  }

  void at(long time, @Nullable SimulatedNode node, int life, Runnable action) {
    events.add(new Event(time, order++, node, life, action));
  }

  private void later(int delayMs, Runnable action) {
    at(now + delayMs, null, 0, action);
  }

  /**
   * @param about immutable
   */
  private void trace(String what, Object... about) {
    if (trace.size() == TRACE_LENGTH) {
      trace.removeFirst();
    }
    trace.add(new Traced(now, what, about));
  }

  private void runUntil(long time) {
    while (!lossAllowed && !events.isEmpty() && events.peek().time <= time) {
      Event event = events.remove();
      now = event.time;
      SimulatedNode node = event.node;
      if (node == null) {
        event.action.run();
      } else if (node.life() == event.life) {
        if (node.pausedUntil() > now) {
          events.add(new Event(node.pausedUntil(), event.order, node, event.life, event.action));
        } else {
          event.action.run();
        }
      }
      if (broken != null) {
        throw broken;
      }
    }
    now = time;
  }

  // ---- the network

  private int delay() {
    return 1 + random.nextInt(healed ? 5 : rates.delayMax);
  }

  boolean isCut(int from, int to) {
    return cuts.contains(new Link(from, to));
  }

  /** A client was told: by a future, which would keep what is thrown to itself. */
  void acknowledged(TopicIdPartition key, SimulatedNode node, ModelLog.Batch batch) {
    try {
      checker.onAcknowledged(key, node.toString(), batch);
    } catch (AssertionError failure) {
      broken = failure;
    }
  }

  /** A connection ends with the process at either end of it. */
  void send(int from, SimulatedNode to, Runnable arrival) {
    if (!to.isUp() || isCut(from, to.id) || chance(rates.loss)) {
      return;
    }
    for (int copies = chance(rates.duplication) ? 2 : 1; copies > 0; copies--) {
      at(now + delay() + (chance(10) ? random.nextInt(400) : 0), to, to.life(), arrival);
    }
  }

  /** Records as they arrive: now and then cut off within a batch, or damaged. */
  MemoryRecords onTheWire(MemoryRecords records) {
    int size = records.sizeInBytes();
    if (size == 0) {
      return records;
    }
    ByteBuffer bytes = ByteBuffer.allocate(size);
    bytes.put(records.buffer().duplicate()).flip();
    if (chance(40)) {
      bytes.limit(random.nextInt(size));
    } else if (chance(10)) {
      // In a record: offset and epoch of a batch are not under its checksum.
      int at = size - 1;
      bytes.put(at, (byte) ~bytes.get(at));
    }
    return MemoryRecords.readableRecords(bytes);
  }

  /**
   * Asks the metadata group. The question and the answer may be late or lost, the question doubled.
   *
   * @param onDecided run when it is accepted, in the same moment
   * @param onReply called once, with null when there was no answer in time
   */
  <R extends MetadataReply> void submit(
      SimulatedNode node,
      MetadataCommand<R> command,
      int timeoutMs,
      Runnable onDecided,
      Consumer<@Nullable R> onReply) {
    boolean[] answered = {false};
    int life = node.life();
    Consumer<@Nullable R> once =
        reply -> {
          if (!answered[0]) {
            answered[0] = true;
            onReply.accept(reply);
          }
        };
    node.later(timeoutMs, () -> once.accept(null));
    for (int copies = chance(rates.duplication) ? 2 : 1; copies > 0; copies--) {
      if (isCut(node.id, 0) || chance(rates.loss)) {
        continue;
      }
      later(
          delay() + (chance(80) ? random.nextInt(400) : 0),
          () -> {
            R reply = decide(command);
            boolean refused =
                reply instanceof MetadataReply.Done done
                        && done.error() != org.apache.kafka.common.protocol.Errors.NONE
                    || reply instanceof MetadataReply.NodeRegistered registered
                        && registered.error() != org.apache.kafka.common.protocol.Errors.NONE;
            if (!refused && node.life() == life) {
              onDecided.run();
            }
            if (!isCut(0, node.id) && !chance(rates.loss)) {
              at(now + delay(), node, life, () -> once.accept(reply));
            }
          });
    }
  }

  private <R extends MetadataReply> R decide(MetadataCommand<R> command) {
    MetadataImage before = metadata.image();
    R reply = metadata.decide(command);
    trace("decided", command, reply);
    MetadataImage after = metadata.image();
    if (after != before) {
      onDecided(before, after);
    }
    return reply;
  }

  // ---- what must hold

  private void onDecided(MetadataImage before, MetadataImage after) {
    for (ReplicaSetImage set : after.replicaSets().values()) {
      ReplicaSetImage old = before.replicaSets().get(set.id());
      if (set.equals(old)) {
        continue;
      }
      trace("now", set);
      if (old != null && old.leaderEpoch() != set.leaderEpoch()) {
        leaderEpochs++;
      }
      if (old != null && !old.isr().equals(set.isr())) {
        isrChanges++;
      }
      if (set.isr().isEmpty() && set.elr().isEmpty()) {
        // The machines of all that had everything crashed: what follows may lack something.
        lossAllowed = true;
        return;
      }
    }
    for (TopicImage topic : after.topicsById().values()) {
      for (PartitionImage partition : topic.partitions()) {
        ReplicaSetImage set = after.replicaSetOf(partition);
        TopicImage topicBefore = before.topic(topic.id());
        boolean isSame =
            topicBefore != null
                && partition.partition() < topicBefore.partitions().size()
                && before
                    .replicaSetOf(topicBefore.partitions().get(partition.partition()))
                    .equals(set);
        if (!isSame) {
          checkEligible(SimulatedNode.key(topic, partition), set, 0);
        }
      }
    }
  }

  /** A replica has shown more: whoever may be elected has it. */
  void onCommitted(TopicIdPartition key) {
    int committed = checker.committed(key).size();
    int checked = checkedCommitted.getOrDefault(key, 0);
    if (committed > checked) {
      checkedCommitted.put(key, committed);
      checkEligible(key, setOf(key), checked);
    }
  }

  void onTruncated(SimulatedReplica replica) {
    truncations++;
    trace("truncated", replica.key, replica.log.logEndOffset());
    checkEligible(replica.key, setOf(replica.key), 0);
  }

  private ReplicaSetImage setOf(TopicIdPartition key) {
    TopicImage topic = Objects.requireNonNull(metadata.image().topic(key.topicId()));
    return metadata.image().replicaSetOf(topic.partitions().get(key.partition()));
  }

  private void checkEligible(TopicIdPartition key, ReplicaSetImage set, int from) {
    for (SimulatedNode node : nodes) {
      boolean eligible = set.isr().contains(node.id) || set.elr().contains(node.id);
      if (eligible && (fsync || !node.hasLostTail())) {
        checker.checkHasCommitted(
            key, node.toString(), node.log(key).map(ModelLog::batches).orElse(List.of()), from);
      }
    }
  }

  // ---- what goes wrong

  private void scheduleChaos() {
    later(
        1 + random.nextInt(60),
        () -> {
          if (!healed) {
            chaos();
            scheduleChaos();
          }
        });
  }

  private void chaos() {
    SimulatedNode node = nodes.get(random.nextInt(nodes.size()));
    if (node.isUp() && chance(rates.kill)) {
      trace("kill", node.id);
      node.kill();
      onGone(node);
    } else if (node.isUp() && chance(rates.crash)) {
      trace("crash", node.id);
      node.crash();
      checkAll();
      onGone(node);
    }
    if (node.isUp() && chance(rates.pause)) {
      int millis = random.nextInt(400);
      trace("pause", node.id, millis);
      node.pause(millis);
    }
    if (chance(rates.fence)) {
      fence(node);
    }
    if (chance(20)) {
      node.jumpClock(random.nextInt(300));
    }
    if (chance(15) && !node.replicas().isEmpty()) {
      SimulatedReplica replica =
          List.copyOf(node.replicas()).get(random.nextInt(node.replicas().size()));
      trace("disk fails", node.id, replica.key);
      replica.fail();
      later(50 + random.nextInt(300), () -> restartIfOffline(node));
    }
    if (chance(rates.cut)) {
      Link link = new Link(random.nextInt(nodes.size() + 1), random.nextInt(nodes.size() + 1));
      trace("cut", link);
      cuts.add(link);
      later(random.nextInt(600), () -> cuts.remove(link));
    }
    if (chance(120)) {
      decide(byHand());
    }
  }

  private void restartIfOffline(SimulatedNode node) {
    if (node.isUp() && node.hasOffline()) {
      node.kill();
      onGone(node);
    }
  }

  /** It is noticed after a while that it is gone, and it comes back sooner or later than that. */
  private void onGone(SimulatedNode node) {
    later(random.nextInt(120), () -> fenceIfDown(node));
    int life = node.life();
    later(
        random.nextInt(healed ? 50 : 300),
        () -> {
          if (!node.isUp() && node.life() == life) {
            trace("start", node.id);
            node.start();
          }
        });
  }

  private void fenceIfDown(SimulatedNode node) {
    if (!node.isUp()) {
      fence(node);
    }
  }

  private void fence(SimulatedNode node) {
    NodeImage known = metadata.image().nodes().get(node.id);
    if (known != null && !known.fenced()) {
      decide(new MetadataCommand.FenceNode(node.id, known.nodeEpoch()));
    }
  }

  /** A node that was fenced begins another life in the same process. */
  void restartSoon(SimulatedNode node) {
    int life = node.life();
    later(
        random.nextInt(40),
        () -> {
          if (node.isUp() && node.life() == life) {
            trace("another life", node.id);
            node.kill();
            node.start();
          }
        });
  }

  /** What an operator may ask, or the sharding of leaders. */
  private MetadataCommand<?> byHand() {
    List<ReplicaSetImage> sets = List.copyOf(metadata.image().replicaSets().values());
    ReplicaSetImage set = sets.get(random.nextInt(sets.size()));
    int partitions = metadata.image().topic(TOPIC).partitions().size();
    int replica = set.replicas().get(random.nextInt(set.replicas().size()));
    return switch (random.nextInt(6)) {
      case 0 -> new MetadataCommand.ElectLeaders(false, Optional.empty());
      case 1 ->
          new MetadataCommand.ClaimLeadership(
              set.id(), replica, registeredEpoch(replica), set.leaderEpoch());
      case 2 ->
          new MetadataCommand.ResignLeadership(
              set.id(), set.leader(), registeredEpoch(set.leader()), set.leaderEpoch());
      case 3 ->
          new MetadataCommand.CreatePartitions(
              List.of(
                  new MetadataCommand.MorePartitions(
                      TOPIC,
                      Math.min(4, partitions + 1),
                      partitions >= 4 ? List.of() : List.of(set.targetReplicas()))),
              false);
      case 4 ->
          new MetadataCommand.AlterConfigs(
              List.of(
                  new MetadataCommand.ConfigChanges(
                      new ConfigResource(ConfigResource.Type.TOPIC, TOPIC),
                      List.of(
                          new MetadataCommand.ConfigChange(
                              "min.insync.replicas",
                              MetadataCommand.ConfigChange.Operation.SET,
                              Optional.of("" + (1 + random.nextInt(3))))),
                      false)),
              false);
      default -> {
        List<Integer> target =
            new ArrayList<>(IntStream.rangeClosed(1, nodes.size()).boxed().toList());
        Collections.shuffle(target, new java.util.Random(random.nextLong()));
        yield new MetadataCommand.AlterReassignments(
            List.of(
                new MetadataCommand.Reassignment(
                    new TopicPartition(TOPIC, random.nextInt(partitions)),
                    Optional.of(
                        target.subList(0, Math.min(target.size(), 2 + random.nextInt(2)))))),
            true);
      }
    };
  }

  private long registeredEpoch(int node) {
    NodeImage known = metadata.image().nodes().get(node);
    return known == null ? -1 : known.nodeEpoch();
  }

  private void checkAll() {
    for (TopicImage topic : metadata.image().topicsById().values()) {
      for (PartitionImage partition : topic.partitions()) {
        checkEligible(
            SimulatedNode.key(topic, partition), metadata.image().replicaSetOf(partition), 0);
      }
    }
  }

  // ---- clients

  private void scheduleClient() {
    later(
        1 + random.nextInt(30),
        () -> {
          if (!healed) {
            produce();
            scheduleClient();
          }
        });
  }

  private void produce() {
    SimulatedNode node = nodes.get(random.nextInt(nodes.size()));
    SimulatedReplica replica = node.leading(random.nextInt(8));
    if (replica != null && node.pausedUntil() <= now) {
      byte[][] values = new byte[1 + random.nextInt(3)][];
      for (int i = 0; i < values.length; i++) {
        values[i] = ByteBuffer.allocate(8).putLong(nextValue++).array();
      }
      replica.append(values);
    }
  }

  // ---- the end

  private void heal() {
    healed = true;
    cuts.clear();
    for (SimulatedNode node : nodes) {
      node.pause(0);
      if (node.hasOffline()) {
        node.kill();
      }
      if (!node.isUp()) {
        onGone(node);
      }
    }
  }

  private void runUntilAllAgree() {
    long deadline = now + HEALING_MS_MAX;
    boolean probed = false;
    while (!lossAllowed) {
      runUntil(now + 50);
      String difference = difference();
      if (difference == null && probed) {
        return;
      }
      if (difference == null) {
        // Everything works again: what is written now is acknowledged as well.
        probed = true;
        nodes.forEach(node -> {
          for (int i = 0; i < 8; i++) {
            SimulatedReplica replica = node.leading(i);
            if (replica != null) {
              replica.append(ByteBuffer.allocate(8).putLong(nextValue++).array());
            }
          }
        });
      }
      if (now > deadline) {
        throw new AssertionError("not healed: " + difference);
      }
    }
  }

  /** Why not all replicas agree, or null. */
  private @Nullable String difference() {
    for (TopicImage topic : metadata.image().topicsById().values()) {
      for (PartitionImage partition : topic.partitions()) {
        ReplicaSetImage set = metadata.image().replicaSetOf(partition);
        TopicIdPartition key = SimulatedNode.key(topic, partition);
        if (set.leader() == ReplicaSetImage.NO_LEADER
            || !set.isr().containsAll(set.replicas())
            || set.isReassigning()) {
          return set.toString();
        }
        List<ModelLog.Batch> committed = checker.committed(key);
        for (int id : set.replicas()) {
          SimulatedReplica replica = node(id).replica(key);
          if (replica == null
              || replica.core.highWatermark() != replica.log.logEndOffset()
              || replica.log.batches().size() != committed.size()) {
            return node(id) + " " + replica;
          }
          checker.checkHasCommitted(key, node(id).toString(), replica.log.batches(), 0);
        }
      }
    }
    return null;
  }
}
