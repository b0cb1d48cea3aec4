package io.milena.group;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A group whose members join, leave, crash and come back over a network that delays, loses and
 * duplicates, and whose coordinator restarts from its records, some of the last lost. A seed is a
 * whole run.
 */
class GroupSimulationTest {

  private static final int SEEDS = 150;
  private static final int PARTITIONS = 6;
  private static final int MEMBERS = 5;
  private static final long FAULTS_UNTIL_MS = 300_000;
  private static final long QUIET_UNTIL_MS = 600_000;
  private static final int REQUEST_TIMEOUT_MS = 40_000;

  static List<Long> seeds() {
    List<Long> seeds = new ArrayList<>();
    for (long seed = 0; seed < SEEDS; seed++) {
      seeds.add(Long.getLong("milena.seed", seed));
    }
    return Long.getLong("milena.seed") == null ? seeds : seeds.subList(0, 1);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void membersAgreeWhateverHappensAndSettleWhenItStops(long seed) {
    try {
      new World(seed).run();
    } catch (Throwable failed) {
      throw new AssertionError("-Dmilena.seed=" + seed + " shows it again", failed);
    }
  }

  private record Event(long atMs, long order, Runnable action) {}

  private static final class World {
    private final Random random;
    private final PriorityQueue<Event> events =
        new PriorityQueue<>(
            java.util.Comparator.comparingLong(Event::atMs).thenComparingLong(Event::order));
    private final GroupConfig config = GroupHarness.config(1_000, Integer.MAX_VALUE);
    private final List<GroupRecord> log = new ArrayList<>();
    private final Deque<Effects.Append> appends = new ArrayDeque<>();
    private final Map<Long, Consumer<Message>> waiting = new HashMap<>();

    /** Who was given a partition in a generation: never two. */
    private final Map<String, String> owners = new HashMap<>();

    private final List<Client> clients = new ArrayList<>();
    private ClassicGroup group = new ClassicGroup("g", config);
    private int incarnation;
    private int storedGeneration;
    private long nowMs;
    private long order;
    private long nextRequestId;
    private int nextMemberId;
    private int settled;

    World(long seed) {
      random = new Random(seed);
      for (int i = 0; i < MEMBERS; i++) {
        // Every other one is static: it comes back as itself.
        clients.add(new Client(i % 2 == 0 ? null : "instance-" + i));
      }
    }

    void run() {
      clients.forEach(client -> after(random.nextInt(20_000), client::start));
      after(20_000, this::fault);
      while (nowMs < QUIET_UNTIL_MS) {
        Event event = events.poll();
        nowMs = event.atMs();
        event.action().run();
        wake();
        check();
      }
      assertThat(group.state()).isEqualTo(GroupState.STABLE);
      List<Integer> assigned = new ArrayList<>();
      for (Client client : clients) {
        assertThat(client.generation).as(client.memberId).isEqualTo(group.generation());
        assertThat(client.stable).as(client.memberId).isTrue();
        assigned.addAll(client.assignment);
      }
      assertThat(assigned).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5);
      assertThat(settled).as("assignments delivered").isGreaterThan(MEMBERS);
    }

    boolean faulty() {
      return nowMs < FAULTS_UNTIL_MS;
    }

    Moment now() {
      return new Moment(nowMs, 1_700_000_000_000L + nowMs);
    }

    void after(long delayMs, Runnable action) {
      events.add(new Event(nowMs + delayMs, order++, action));
    }

    void fault() {
      if (!faulty()) {
        return;
      }
      Client client = clients.get(random.nextInt(clients.size()));
      switch (random.nextInt(5)) {
        case 0 -> client.crash();
        case 1 -> client.leave();
        case 2 -> restart();
        default -> {}
      }
      after(random.nextInt(15_000), this::fault);
    }

    /** Some of the writes under way made it, the rest is lost, and so is everything in memory. */
    void restart() {
      for (int kept = random.nextInt(appends.size() + 1); kept > 0; kept--) {
        store(appends.poll().records());
      }
      appends.clear();
      waiting.clear();
      incarnation++;
      group = new ClassicGroup("g", config);
      log.forEach(group::replay);
      apply(group.resume(now()));
      assertThat(group.generation()).isEqualTo(storedGeneration);
    }

    void store(List<GroupRecord> records) {
      for (GroupRecord record : records) {
        if (record instanceof GroupRecord.GenerationStored stored) {
          assertThat(stored.metadata().generation()).isGreaterThanOrEqualTo(storedGeneration);
          storedGeneration = stored.metadata().generation();
        }
      }
      log.addAll(records);
    }

    void wake() {
      while (group.wakeAtMs() <= nowMs) {
        apply(group.onTimer(now()));
      }
      if (group.wakeAtMs() != Long.MAX_VALUE) {
        after(group.wakeAtMs() - nowMs, () -> {});
      }
    }

    void apply(Effects effects) {
      for (Effects.Append append : effects.appends()) {
        appends.add(append);
        int of = incarnation;
        after(
            1 + random.nextInt(200),
            () -> {
              if (of == incarnation) {
                complete();
              }
            });
      }
      for (Effects.Reply reply : effects.replies()) {
        Consumer<Message> receiver = waiting.remove(reply.requestId());
        if (receiver != null && !(faulty() && random.nextInt(20) == 0)) {
          after(random.nextInt(50), () -> receiver.accept(reply.response()));
        }
      }
    }

    /** Writes end in their order; now and then one fails and leaves nothing behind. */
    void complete() {
      Effects.Append append = appends.poll();
      Errors error = faulty() && random.nextInt(20) == 0 ? Errors.NOT_ENOUGH_REPLICAS : Errors.NONE;
      if (error == Errors.NONE) {
        store(append.records());
      }
      apply(group.appended(append.appendId(), error, now()));
    }

    void send(GroupRequest<?> request, Consumer<Message> receiver) {
      int copies = faulty() && random.nextInt(10) == 0 ? 2 : 1;
      if (faulty() && random.nextInt(20) == 0) {
        copies = 0;
      }
      for (int copy = 0; copy < copies; copy++) {
        Consumer<Message> to = copy == 0 ? receiver : _ -> {};
        int delayMs = faulty() && random.nextInt(10) == 0 ? 5_000 : 50;
        after(
            random.nextInt(delayMs),
            () -> {
              long requestId = nextRequestId++;
              waiting.put(requestId, to);
              apply(group.handle(requestId, arrived(request), now()));
            });
      }
    }

    /** Each copy of a JoinGroup is given an id of its own, as on a real connection. */
    GroupRequest<?> arrived(GroupRequest<?> request) {
      return request instanceof GroupRequest.Join join
          ? new GroupRequest.Join(
              join.data(),
              join.version(),
              join.clientId(),
              join.clientHost(),
              "member-" + nextMemberId++)
          : request;
    }

    /** What is in memory is what a replay of the log gives. */
    void check() {
      group.checkInvariants();
      if (random.nextInt(50) == 0) {
        ClassicGroup replayed = new ClassicGroup("g", config);
        log.forEach(replayed::replay);
        for (int partition = 0; partition < PARTITIONS; partition++) {
          TopicPartition at = new TopicPartition("topic", partition);
          assertThat(GroupProbe.committed(group, at, now()))
              .isEqualTo(GroupProbe.committed(replayed, at, now()));
        }
      }
    }

    /** A consumer: joins, syncs, sends heartbeats, commits. */
    private final class Client {
      private final String instanceId;
      private String memberId = "";
      private int life;
      private boolean stable;
      private int generation;
      private List<Integer> assignment = List.of();

      Client(String instanceId) {
        this.instanceId = instanceId;
      }

      void start() {
        memberId = "";
        join();
      }

      void crash() {
        life++;
        stable = false;
        after(random.nextInt(30_000), this::start);
      }

      void leave() {
        send(
            new GroupRequest.Leave(
                new LeaveGroupRequestData()
                    .setGroupId("g")
                    .setMembers(List.of(new MemberIdentity().setMemberId(memberId)))),
            _ -> {});
        crash();
      }

      /** Sends a request of this step of life; a later step makes its answer meaningless. */
      private void ask(GroupRequest<?> request, Consumer<Message> receiver) {
        int step = ++life;
        send(
            request,
            response -> {
              if (step == life) {
                receiver.accept(response);
              }
            });
        after(
            REQUEST_TIMEOUT_MS,
            () -> {
              if (step == life) {
                join();
              }
            });
      }

      private void later(int delayMs, Runnable action) {
        int step = ++life;
        after(
            delayMs,
            () -> {
              if (step == life) {
                action.run();
              }
            });
      }

      private void join() {
        stable = false;
        JoinGroupRequestData data =
            new JoinGroupRequestData()
                .setGroupId("g")
                .setMemberId(memberId)
                .setGroupInstanceId(instanceId)
                .setProtocolType("consumer")
                .setSessionTimeoutMs(10_000)
                .setRebalanceTimeoutMs(20_000);
        data.protocols()
            .add(
                new JoinGroupRequestProtocol()
                    .setName("range")
                    .setMetadata(GroupHarness.subscription("topic")));
        ask(
            new GroupRequest.Join(data, (short) 9, "c", "/h", ""),
            response -> onJoined((JoinGroupResponseData) response));
      }

      private void onJoined(JoinGroupResponseData response) {
        Errors error = Errors.forCode(response.errorCode());
        switch (error) {
          case NONE -> {
            memberId = response.memberId();
            generation = response.generationId();
            sync(response);
          }
          case MEMBER_ID_REQUIRED -> {
            memberId = response.memberId();
            join();
          }
          default -> rejoin(error);
        }
      }

      private void sync(JoinGroupResponseData joined) {
        SyncGroupRequestData data =
            new SyncGroupRequestData()
                .setGroupId("g")
                .setMemberId(memberId)
                .setGroupInstanceId(instanceId)
                .setGenerationId(generation)
                .setProtocolType("consumer")
                .setProtocolName("range");
        if (joined.leader().equals(memberId) && !joined.skipAssignment()) {
          int count = joined.members().size();
          for (int i = 0; i < count; i++) {
            byte[] partitions = new byte[(PARTITIONS - i + count - 1) / count];
            for (int j = 0; j < partitions.length; j++) {
              partitions[j] = (byte) (i + j * count);
            }
            data.assignments()
                .add(
                    new SyncGroupRequestAssignment()
                        .setMemberId(joined.members().get(i).memberId())
                        .setAssignment(partitions));
          }
        }
        ask(new GroupRequest.Sync(data), response -> onSynced((SyncGroupResponseData) response));
      }

      private void onSynced(SyncGroupResponseData response) {
        Errors error = Errors.forCode(response.errorCode());
        if (error != Errors.NONE) {
          rejoin(error);
          return;
        }
        assignment = new ArrayList<>();
        for (byte partition : response.assignment()) {
          assignment.add((int) partition);
          String self = instanceId == null ? memberId : instanceId;
          String owner = owners.putIfAbsent(generation + "/" + partition, self);
          assertThat(owner == null || owner.equals(self))
              .as("partition %s in generation %s: %s and %s", partition, generation, owner, self)
              .isTrue();
        }
        stable = true;
        settled++;
        beat();
      }

      private void beat() {
        for (int partition : assignment) {
          var data =
              GroupHarness.commitData(memberId, generation, nowMs).setGroupInstanceId(instanceId);
          data.topics().getFirst().partitions().getFirst().setPartitionIndex(partition);
          send(new GroupRequest.CommitOffsets(data, (short) 9), _ -> {});
        }
        HeartbeatRequestData data =
            new HeartbeatRequestData()
                .setGroupId("g")
                .setMemberId(memberId)
                .setGroupInstanceId(instanceId)
                .setGenerationId(generation);
        later(
            3_000,
            () -> {
              ask(
                  new GroupRequest.Heartbeat(data),
                  response -> {
                    Errors error = Errors.forCode(((HeartbeatResponseData) response).errorCode());
                    if (error == Errors.NONE) {
                      beat();
                    } else {
                      rejoin(error);
                    }
                  });
            });
      }

      private void rejoin(Errors error) {
        stable = false;
        if (error == Errors.UNKNOWN_MEMBER_ID || error == Errors.FENCED_INSTANCE_ID) {
          memberId = "";
        }
        later(100, this::join);
      }
    }
  }
}
