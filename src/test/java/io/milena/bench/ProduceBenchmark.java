package io.milena.bench;

import io.milena.log.AppendOrigin;
import io.milena.log.AppendOutcome;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.MetadataService;
import io.milena.replication.FollowerPosition;
import io.milena.replication.LeaderAnswer;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaDirectory;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import io.milena.wire.handler.LeaderLookup;
import io.milena.wire.handler.ProduceHandler;
import io.milena.wire.handler.RequestContext;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.RequestHeader;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A produce request from its bytes to the bytes of its answer, without network and log: header,
 * body, handler, response.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ProduceBenchmark {

  private static final long NOW_MS = 1_790_000_000_000L;
  private static final short VERSION = 12;
  private static final String TOPIC = "benchmark";

  @Param({"1", "6"})
  public int partitions;

  private final ByteBuffer answer = ByteBuffer.allocateDirect(1 << 16);
  private BenchmarkLog log;
  private ProduceHandler handler;
  private ByteBuffer frame;

  @Setup
  public void makeRequest() throws IOException {
    log = BenchmarkLog.create();
    handler = new ProduceHandler(new LeaderLookup(new NoMetadata(), new OneReplica(log)));
    MemoryRecords batch = BenchmarkBatches.batch(Compression.NONE, 1, 100, NOW_MS);
    TopicProduceData topic = new TopicProduceData().setName(TOPIC);
    for (int i = 0; i < partitions; i++) {
      topic.partitionData().add(new PartitionProduceData().setIndex(i).setRecords(batch));
    }
    ProduceRequestData body =
        new ProduceRequestData()
            .setAcks((short) 1)
            .setTimeoutMs(30_000)
            .setTopicData(new TopicProduceDataCollection(List.of(topic).iterator()));
    RequestHeader header = new RequestHeader(ApiKeys.PRODUCE, VERSION, "producer-1", 1);
    ByteBuffer head =
        MessageUtil.toByteBufferAccessor(header.data(), header.headerVersion()).buffer();
    ByteBuffer rest = MessageUtil.toByteBufferAccessor(body, VERSION).buffer();
    frame = ByteBuffer.allocateDirect(head.remaining() + rest.remaining()).put(head).put(rest);
  }

  @TearDown
  public void delete() throws IOException {
    log.delete();
  }

  @Benchmark
  public ByteBuffer produce() {
    frame.flip();
    RequestHeader header = RequestHeader.parse(frame);
    ApiMessage body = header.apiKey().messageType.newRequest();
    body.read(new ByteBufferAccessor(frame), header.apiVersion());
    ApiMessage response =
        handler.handle(new Context(header), body).toCompletableFuture().resultNow();
    ObjectSerializationCache cache = new ObjectSerializationCache();
    int sizeBytes = response.size(cache, header.apiVersion());
    answer.clear().putInt(sizeBytes);
    response.write(new ByteBufferAccessor(answer), cache, header.apiVersion());
    return answer;
  }

  private record Context(RequestHeader header) implements RequestContext {
    private static final InetSocketAddress CLIENT = InetSocketAddress.createUnresolved("client", 1);

    @Override
    public InetSocketAddress clientAddress() {
      return CLIENT;
    }

    @Override
    public long connectionId() {
      return 1;
    }

    @Override
    public String principal() {
      return "User:ANONYMOUS";
    }

    @Override
    public String listenerName() {
      return "PLAINTEXT";
    }

    @Override
    public TimerTask schedule(long delayMs, Runnable task) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void execute(Runnable task) {
      task.run();
    }

    @Override
    public void onClose(Runnable task) {}
  }

  private record NoMetadata() implements MetadataService {
    @Override
    public MetadataImage image() {
      return MetadataImage.EMPTY;
    }

    @Override
    public <R extends MetadataReply> CompletionStage<R> submit(MetadataCommand<R> command) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void subscribe(MetadataListener listener) {}
  }

  /** Every partition of the topic is this replica, and every append has been done already. */
  private static final class OneReplica implements ReplicaDirectory, Replica {
    private final CompletableFuture<AppendOutcome> appended =
        CompletableFuture.completedFuture(new AppendOutcome.Appended(1, 1, -1));
    private final ReplicaView view;

    OneReplica(BenchmarkLog log) {
      view = new ReplicaView(ReplicaRole.LEADER, 0, 1, log.log().view(), 0, 0, 0);
    }

    @Override
    public @Nullable Replica find(TopicPartition partition) {
      return partition.topic().equals(TOPIC) ? this : null;
    }

    @Override
    public Collection<? extends Replica> all() {
      return List.of(this);
    }

    @Override
    public TopicPartition partition() {
      return new TopicPartition(TOPIC, 0);
    }

    @Override
    public Uuid topicId() {
      return Uuid.ONE_UUID;
    }

    @Override
    public ReplicaView view() {
      return view;
    }

    @Override
    public CompletionStage<Void> opened() {
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<AppendOutcome> append(
        MemoryRecords records, int expectedEpoch, AppendOrigin origin, short acks, int timeoutMs) {
      return appended;
    }

    @Override
    public CompletionStage<Long> deleteRecords(long offset) {
      return CompletableFuture.completedFuture(0L);
    }

    @Override
    public void onFollowerPosition(FollowerPosition position) {}

    @Override
    public CompletionStage<Void> onLeaderAnswer(LeaderAnswer answer) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void addListener(Runnable listener) {}

    @Override
    public void removeListener(Runnable listener) {}
  }
}
