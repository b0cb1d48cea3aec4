package io.milena.wire.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.log.FileRegion;
import io.milena.replication.DivergingEpoch;
import io.milena.wire.handler.MalformedFrameException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.network.TransferableChannel;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.RecordsSend;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written is read again; what is not of the format is refused, and nothing else fails. */
class ExchangeFormatTest {
  private static final int SEEDS = 300;
  private static final int FILE_BYTES = 200_000;
  private static final Errors[] ERRORS = {
    Errors.NONE, Errors.OFFSET_OUT_OF_RANGE, Errors.KAFKA_STORAGE_ERROR
  };

  private FileChannel file;
  private byte[] content;

  @BeforeEach
  void open(@TempDir Path directory) throws Exception {
    content = new byte[FILE_BYTES];
    new Random(1).nextBytes(content);
    Path path = directory.resolve("content");
    Files.write(path, content);
    file = FileChannel.open(path, StandardOpenOption.READ);
  }

  @AfterEach
  void close() throws Exception {
    file.close();
  }

  @Test
  void requests() throws Exception {
    for (long seed = 0; seed < SEEDS; seed++) {
      Random random = new Random(seed);
      List<String> written = new ArrayList<>();
      boolean poll = random.nextBoolean();
      ByteBuffer body = request(random, poll, written);
      Recording read = new Recording();
      ExchangeRequestReader.read(body, poll, read);
      assertThat(read.told).as("seed %d", seed).isEqualTo(written);
    }
  }

  @Test
  void damagedRequests() {
    for (long seed = 0; seed < 20L * SEEDS; seed++) {
      Random random = new Random(seed);
      boolean poll = random.nextBoolean();
      ByteBuffer body = damaged(request(random, poll, new ArrayList<>()), random);
      try {
        ExchangeRequestReader.read(body, poll, new Recording());
        assertThat(body.hasRemaining()).as("seed %d", seed).isFalse();
      } catch (MalformedFrameException refused) {
        assertThat(refused).as("seed %d", seed).hasMessageMatching("\\S.*");
      }
    }
  }

  @Test
  void answers() throws Exception {
    ExchangeAnswer answer = new ExchangeAnswer();
    for (long seed = 0; seed < SEEDS; seed++) {
      List<String> written = new ArrayList<>();
      ByteBuffer body = answer(answer, new Random(seed), written);
      List<String> read = new ArrayList<>();
      assertThat(read(body, read)).isEqualTo(Errors.NONE);
      assertThat(read).as("seed %d", seed).isEqualTo(written);
    }
  }

  @Test
  void damagedAnswers() throws Exception {
    ExchangeAnswer answer = new ExchangeAnswer();
    for (long seed = 0; seed < 5L * SEEDS; seed++) {
      Random random = new Random(seed);
      ByteBuffer body = damaged(answer(answer, random, new ArrayList<>()), random);
      try {
        read(body, new ArrayList<>());
      } catch (MalformedFrameException refused) {
        assertThat(refused).as("seed %d", seed).hasMessageMatching("\\S.*");
      }
    }
  }

  @Test
  void refusal() throws Exception {
    ExchangeAnswer answer = new ExchangeAnswer();
    answer(answer, new Random(1), new ArrayList<>());
    answer.refuse(Errors.STALE_BROKER_EPOCH);
    assertThat(answer.recordsBytes()).isZero();
    assertThat(read(body(answer), new ArrayList<>())).isEqualTo(Errors.STALE_BROKER_EPOCH);
  }

  @Test
  void regionThatCannotBeReadIsNotAdded() throws Exception {
    ExchangeAnswer answer = new ExchangeAnswer();
    answer.begin();
    answer.add(1, (byte) 1, 1, 1, 0, Errors.NONE, null, new Region(0, 100));
    try {
      answer.add(2, (byte) 1, 1, 1, 0, Errors.NONE, null, new Region(FILE_BYTES - 10, 100));
      throw new AssertionError("it was read beyond the end of the file");
    } catch (IOException expected) {
      answer.add(3, (byte) 1, 1, 1, 0, Errors.NONE, null, new Region(100, 100));
    }
    List<String> read = new ArrayList<>();
    read(body(answer), read);
    assertThat(read)
        .containsExactly(
            entry(1, (byte) 1, 1, 1, 0, Errors.NONE, null, Arrays.copyOfRange(content, 0, 100)),
            entry(3, (byte) 1, 1, 1, 0, Errors.NONE, null, Arrays.copyOfRange(content, 100, 200)));
  }

  private static ByteBuffer damaged(ByteBuffer body, Random random) {
    byte[] bytes = new byte[body.remaining()];
    body.get(bytes);
    for (int i = random.nextInt(4); i >= 0; i--) {
      bytes[random.nextInt(Math.min(bytes.length, 60))] = (byte) random.nextInt();
    }
    return ByteBuffer.wrap(
        random.nextBoolean() ? bytes : Arrays.copyOf(bytes, random.nextInt(bytes.length + 1)));
  }

  private static long anyLong(Random random) {
    return random.nextLong() >>> random.nextInt(1, 64);
  }

  private static int anyInt(Random random) {
    return random.nextInt() >>> random.nextInt(1, 32);
  }

  private static ByteBuffer request(Random random, boolean poll, List<String> written) {
    ExchangeRequestWriter writer = new ExchangeRequestWriter();
    Recording told = new Recording();
    long nodeEpoch = anyLong(random);
    if (random.nextBoolean()) {
      Uuid cluster = new Uuid(random.nextLong(), random.nextLong());
      int asked = anyInt(random);
      int asking = anyInt(random);
      writer.beginWithHello(cluster, asked, asking, nodeEpoch);
      told.hello(cluster, asked, asking);
    } else {
      writer.begin(nodeEpoch);
    }
    told.nodeEpoch(nodeEpoch);
    if (poll) {
      int wait = anyInt(random);
      int bytes = anyInt(random);
      int ofPartition = anyInt(random);
      writer.poll(wait, bytes, ofPartition);
      told.poll(wait, bytes, ofPartition);
    }
    for (int i = random.nextInt(100); i > 0; i--) {
      int handle = random.nextInt(ExchangeFormat.HANDLES_MAX) >>> random.nextInt(24);
      switch (random.nextInt(4)) {
        case 0 -> {
          writer.removed(handle);
          told.removed(handle);
        }
        case 1 -> {
          Uuid topic = new Uuid(random.nextLong(), random.nextLong());
          int partition = anyInt(random);
          writer.added(handle, topic, partition);
          told.added(handle, topic, partition);
        }
        case 2 -> {
          byte version = (byte) random.nextInt();
          int leaderEpoch = anyInt(random);
          long end = anyLong(random);
          long start = end == 0 ? 0 : random.nextLong(end);
          long kept = end == 0 ? 0 : random.nextLong(end);
          int newest = anyInt(random) - 1;
          writer.position(handle, version, leaderEpoch, start, end, newest, kept);
          told.position(handle, version, leaderEpoch, start, end, newest, kept);
        }
        default -> {
          long kept = anyLong(random);
          writer.kept(handle, kept);
          told.kept(handle, kept);
        }
      }
    }
    written.addAll(told.told);
    return writer.body();
  }

  private ByteBuffer answer(ExchangeAnswer answer, Random random, List<String> written)
      throws IOException {
    answer.begin();
    for (int i = random.nextInt(60); i > 0; i--) {
      int handle = anyInt(random);
      byte version = (byte) random.nextInt();
      int epoch = anyInt(random);
      long highWatermark = anyLong(random);
      long start = anyLong(random);
      Errors error = ERRORS[random.nextInt(ERRORS.length)];
      DivergingEpoch diverging =
          random.nextInt(4) == 0
              ? new DivergingEpoch(anyInt(random) - 1, anyLong(random) - 1)
              : null;
      Region region = null;
      byte[] bytes = {};
      if (random.nextInt(3) > 0) {
        int size = 1 + random.nextInt(random.nextBoolean() ? 500 : 20_000);
        int from = random.nextInt(FILE_BYTES - size);
        region = new Region(from, size);
        bytes = Arrays.copyOfRange(content, from, from + size);
      }
      answer.add(handle, version, epoch, highWatermark, start, error, diverging, region);
      written.add(entry(handle, version, epoch, highWatermark, start, error, diverging, bytes));
    }
    return body(answer);
  }

  private static String entry(
      int handle,
      byte version,
      int epoch,
      long highWatermark,
      long start,
      Errors error,
      DivergingEpoch diverging,
      byte[] records) {
    return "%d v%d epoch %d, %d from %d, %s, %s, %d bytes %x"
        .formatted(
            handle,
            version,
            epoch,
            highWatermark,
            start,
            error,
            diverging,
            records.length,
            Arrays.hashCode(records));
  }

  private static Errors read(ByteBuffer body, List<String> entries) throws MalformedFrameException {
    return ExchangeAnswerReader.read(
        body,
        (handle, version, epoch, highWatermark, start, error, diverging, records) -> {
          byte[] bytes = new byte[records.remaining()];
          records.get(bytes);
          entries.add(entry(handle, version, epoch, highWatermark, start, error, diverging, bytes));
        });
  }

  /** The answer as the network would take it. */
  private static ByteBuffer body(ExchangeAnswer answer) {
    int size = answer.memoryBytes() + answer.recordsBytes();
    ByteBuffer target = ByteBuffer.allocate(size);
    answer.write(
        new ByteBufferAccessor(target) {
          @Override
          public void writeRecords(BaseRecords records) {
            target.put(((Region) records).bytes());
          }
        });
    assertThat(target.hasRemaining()).isFalse();
    return target.flip();
  }

  private final class Region implements FileRegion {
    private final int from;
    private final int size;

    Region(int from, int size) {
      this.from = from;
      this.size = size;
    }

    byte[] bytes() {
      return Arrays.copyOfRange(content, from, from + size);
    }

    @Override
    public long firstBatchBaseOffset() {
      return 0;
    }

    @Override
    public boolean isEmpty() {
      return size == 0;
    }

    @Override
    public int sizeInBytes() {
      return size;
    }

    @Override
    public int writeTo(TransferableChannel channel, int offset, int length) throws IOException {
      return (int) channel.transferFrom(file, from + (long) offset, length);
    }

    @Override
    public RecordsSend<?> toSend() {
      throw new UnsupportedOperationException();
    }
  }

  /** What a request says, in order. */
  private static final class Recording implements ExchangeRequestReader.Sink {
    final List<String> told = new ArrayList<>();

    @Override
    public void hello(Uuid clusterId, int askedNodeId, int askingNodeId) {
      told.add("hello %s %d %d".formatted(clusterId, askedNodeId, askingNodeId));
    }

    @Override
    public void nodeEpoch(long nodeEpoch) {
      told.add("epoch " + nodeEpoch);
    }

    @Override
    public void poll(int maxWaitMs, int maxBytes, int partitionMaxBytes) {
      told.add("poll %d %d %d".formatted(maxWaitMs, maxBytes, partitionMaxBytes));
    }

    @Override
    public void removed(int handle) {
      told.add("removed " + handle);
    }

    @Override
    public void added(int handle, Uuid topicId, int partition) {
      told.add("added %d %s %d".formatted(handle, topicId, partition));
    }

    @Override
    public void position(
        int handle,
        byte version,
        int leaderEpoch,
        long logStartOffset,
        long logEndOffset,
        int newestEpoch,
        long keptEndOffset) {
      assertThat(logStartOffset).isBetween(0L, logEndOffset);
      assertThat(keptEndOffset).isBetween(0L, logEndOffset);
      told.add(
          "position %d v%d epoch %d, %d to %d in %d, kept %d"
              .formatted(
                  handle,
                  version,
                  leaderEpoch,
                  logStartOffset,
                  logEndOffset,
                  newestEpoch,
                  keptEndOffset));
    }

    @Override
    public void kept(int handle, long keptEndOffset) {
      told.add("kept %d %d".formatted(handle, keptEndOffset));
    }
  }
}
