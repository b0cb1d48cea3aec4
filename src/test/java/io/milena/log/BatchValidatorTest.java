package io.milena.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.log.AppendOutcome.RecordFault;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.internals.ByteBufferOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchValidatorTest {

  private static final long NOW = 1_700_000_000_000L;

  private static BatchValidation validate(MemoryRecords records, String... config) {
    return validate(AppendOrigin.CLIENT, records, config);
  }

  private static BatchValidation validate(
      AppendOrigin origin, MemoryRecords records, String... config) {
    Map<String, String> values = new java.util.HashMap<>();
    for (int i = 0; i < config.length; i += 2) {
      values.put(config[i], config[i + 1]);
    }
    return new BatchValidator(LogConfig.of(values)).validate(records, origin, NOW);
  }

  private static AppendOutcome.Rejected rejected(BatchValidation validation) {
    assertThat(validation).isInstanceOf(BatchValidation.Invalid.class);
    return ((BatchValidation.Invalid) validation).outcome();
  }

  private static BatchValidation.Valid valid(BatchValidation validation) {
    assertThat(validation).isInstanceOf(BatchValidation.Valid.class);
    return (BatchValidation.Valid) validation;
  }

  private static SimpleRecord[] records(int count) {
    SimpleRecord[] records = new SimpleRecord[count];
    for (int i = 0; i < count; i++) {
      records[i] = Batches.record(NOW + i, "key" + i, "value" + i);
    }
    return records;
  }

  private static MemoryRecords changed(MemoryRecords records, int position, int xor, boolean crc) {
    ByteBuffer buffer = ByteBuffer.wrap(Batches.copyOf(records));
    buffer.put(position, (byte) (buffer.get(position) ^ xor));
    if (crc) {
      BatchLayout.rewriteCrc(buffer, 0, buffer.limit());
    }
    return MemoryRecords.readableRecords(buffer);
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "gzip", "snappy", "lz4", "zstd"})
  void soundBatchStaysByteForByte(String compression) {
    MemoryRecords records =
        Batches.batch().compressed(Compression.of(compression).build()).of(records(20));
    byte[] before = Batches.copyOf(records);

    BatchValidation.Valid valid = valid(validate(records));

    assertThat(Batches.copyOf(valid.records())).isEqualTo(before);
    assertThat(valid).isEqualTo(new BatchValidation.Valid(records, 1, 20, NOW + 19, 19, -1));
    assertThat(valid.records()).isSameAs(records);
  }

  @Test
  void oldFormatsAreInvalidRecords() {
    MemoryRecords old =
        MemoryRecords.withRecords((byte) 1, Compression.NONE, Batches.record(NOW, "k", "v"));
    assertThat(rejected(validate(old)).error()).isEqualTo(Errors.INVALID_RECORD);
  }

  @Test
  void emptyTruncatedAndOverlongBatchesAreRefused() {
    assertThat(rejected(validate(MemoryRecords.EMPTY)).error()).isEqualTo(Errors.INVALID_RECORD);
    byte[] whole = Batches.copyOf(Batches.batch().of(records(3)));
    for (int length = 1; length < whole.length; length++) {
      MemoryRecords cut = MemoryRecords.readableRecords(ByteBuffer.wrap(whole, 0, length).slice());
      assertThat(rejected(validate(cut)).error()).isEqualTo(Errors.CORRUPT_MESSAGE);
    }
    byte[] longer = Arrays.copyOf(whole, whole.length + 1);
    assertThat(rejected(validate(MemoryRecords.readableRecords(ByteBuffer.wrap(longer)))).error())
        .isEqualTo(Errors.CORRUPT_MESSAGE);
  }

  @Test
  void clientSendsOneBatchAndACoordinatorMany() {
    byte[] one = Batches.copyOf(Batches.batch().of(records(2)));
    byte[] two = Arrays.copyOf(one, one.length * 2);
    System.arraycopy(one, 0, two, one.length, one.length);
    MemoryRecords both = MemoryRecords.readableRecords(ByteBuffer.wrap(two));

    assertThat(rejected(validate(both)).error()).isEqualTo(Errors.INVALID_RECORD);
    assertThat(valid(validate(AppendOrigin.COORDINATOR, both)))
        .isEqualTo(new BatchValidation.Valid(both, 2, 4, NOW + 1, 1, -1));
  }

  @Test
  void largeBatchIsRefusedWithItsSize() {
    AppendOutcome.Rejected rejected =
        rejected(
            validate(
                Batches.batch().of(new SimpleRecord(NOW, new byte[5_000])),
                "max.message.bytes",
                "1000"));
    assertThat(rejected.error()).isEqualTo(Errors.MESSAGE_TOO_LARGE);
    assertThat(rejected.message()).contains("1000").contains("50");
  }

  @Test
  void controlBatchIsForCoordinatorsOnly() {
    MemoryRecords marker = Batches.marker(0, 7, 0, 1, ControlRecordType.COMMIT);
    assertThat(rejected(validate(marker)).error()).isEqualTo(Errors.INVALID_RECORD);
    valid(validate(AppendOrigin.COORDINATOR, marker));
  }

  @Test
  void headerThatContradictsItselfIsInvalid() {
    MemoryRecords sound = Batches.batch().by(5, 0, 0).of(records(3));
    int[] fields = {
      BatchLayout.RECORD_COUNT + 3,
      BatchLayout.LAST_OFFSET_DELTA + 3,
      BatchLayout.BASE_OFFSET + 7,
      BatchLayout.BASE_SEQUENCE,
      BatchLayout.PRODUCER_EPOCH
    };
    for (int field : fields) {
      int flip =
          field == BatchLayout.BASE_SEQUENCE || field == BatchLayout.PRODUCER_EPOCH ? 0x80 : 1;
      assertThat(rejected(validate(changed(sound, field, flip, true))).error())
          .as("field at " + field)
          .isEqualTo(Errors.INVALID_RECORD);
    }
    int attributesLow = BatchLayout.ATTRIBUTES + 1;
    for (int flip : new int[] {5, 7, 0x40, 0x80}) {
      assertThat(rejected(validate(changed(sound, attributesLow, flip, true))).error())
          .as("attribute " + flip)
          .isEqualTo(Errors.INVALID_RECORD);
    }
    assertThat(
            rejected(
                    validate(
                        changed(
                            Batches.batch().of(records(1)),
                            attributesLow,
                            BatchLayout.TRANSACTIONAL_FLAG,
                            true)))
                .error())
        .isEqualTo(Errors.INVALID_RECORD);
  }

  @Test
  void recordsThatAreNotAsTheHeaderSaysAreInvalid() {
    MemoryRecords sound = Batches.batch().of(records(3));
    int firstLength = BatchLayout.HEADER_BYTES;
    assertThat(rejected(validate(changed(sound, firstLength, 2, true))).error())
        .isEqualTo(Errors.INVALID_RECORD);
    int firstOffsetDelta = BatchLayout.HEADER_BYTES + 3;
    assertThat(rejected(validate(changed(sound, firstOffsetDelta, 2, true))).error())
        .isEqualTo(Errors.INVALID_RECORD);
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "lz4", "zstd"})
  void timestampsOutsideOfTheLimitsAreNamedRecordByRecord(String compression) {
    MemoryRecords records =
        Batches.batch()
            .compressed(Compression.of(compression).build())
            .of(
                Batches.record(NOW, "a", "1"),
                Batches.record(NOW + 5_000, "b", "2"),
                Batches.record(NOW - 5_000, "c", "3"),
                Batches.record(NOW + 5_001, "d", "4"));
    AppendOutcome.Rejected rejected =
        rejected(
            validate(
                records,
                "message.timestamp.after.max.ms",
                "5000",
                "message.timestamp.before.max.ms",
                "4999"));
    assertThat(rejected.error()).isEqualTo(Errors.INVALID_TIMESTAMP);
    assertThat(rejected.records()).extracting(RecordFault::batchIndex).containsExactly(2, 3);
    assertThat(rejected.records().getFirst().message()).contains("" + (NOW - 5_000));

    valid(
        validate(
            records,
            "message.timestamp.after.max.ms",
            "5001",
            "message.timestamp.before.max.ms",
            "5000"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "gzip", "snappy", "lz4", "zstd"})
  void compactedTopicNamesRecordsWithoutKey(String compression) {
    MemoryRecords records =
        Batches.batch()
            .compressed(Compression.of(compression).build())
            .of(
                Batches.record(NOW, "a", "1"),
                Batches.record(NOW, null, "2"),
                Batches.record(NOW, "", null),
                Batches.record(NOW, null, null));
    AppendOutcome.Rejected rejected = rejected(validate(records, "cleanup.policy", "compact"));
    assertThat(rejected.error()).isEqualTo(Errors.INVALID_RECORD);
    assertThat(rejected.records()).extracting(RecordFault::batchIndex).containsExactly(1, 3);
    valid(validate(records));
  }

  @Test
  void producerMayNotClaimLogAppendTime() {
    MemoryRecords records = Batches.batch().stamped(TimestampType.LOG_APPEND_TIME).of(records(1));
    assertThat(rejected(validate(records)).error()).isEqualTo(Errors.INVALID_TIMESTAMP);
    valid(validate(records, "message.timestamp.type", "LogAppendTime"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "lz4"})
  void logAppendTimeRewritesTheHeaderInPlace(String compression) {
    MemoryRecords records =
        Batches.batch()
            .compressed(Compression.of(compression).build())
            .of(Batches.record(5, "a", "1"), Batches.record(NOW * 2, "b", "2"));
    BatchValidation.Valid valid =
        valid(validate(records, "message.timestamp.type", "LogAppendTime"));
    assertThat(valid).isEqualTo(new BatchValidation.Valid(records, 1, 2, NOW, 1, NOW));
    RecordBatch batch = valid.records().batches().iterator().next();
    batch.ensureValid();
    assertThat(batch.maxTimestamp()).isEqualTo(NOW);
    assertThat(batch).allSatisfy(record -> assertThat(record.timestamp()).isEqualTo(NOW));
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "lz4"})
  void wrongMaximumTimestampIsMended(String compression) {
    MemoryRecords sound =
        Batches.batch().compressed(Compression.of(compression).build()).of(records(3));
    MemoryRecords records = changed(sound, BatchLayout.MAX_TIMESTAMP + 7, 64, true);
    BatchValidation.Valid valid = valid(validate(records));
    assertThat(valid.maxTimestampMs()).isEqualTo(NOW + 2);
    RecordBatch batch = valid.records().batches().iterator().next();
    batch.ensureValid();
    assertThat(batch.maxTimestamp()).isEqualTo(NOW + 2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"uncompressed", "gzip", "snappy", "lz4", "zstd"})
  void topicCompressionIsAppliedAndNothingElseChanges(String target) {
    for (String source : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
      MemoryRecords records =
          Batches.batch().compressed(Compression.of(source).build()).by(9, 3, 17).of(records(50));
      List<Record> before = new ArrayList<>();
      records.records().forEach(before::add);
      BatchValidation.Valid valid = valid(validate(records, "compression.type", target));
      RecordBatch batch = valid.records().batches().iterator().next();
      batch.ensureValid();
      String name = target.equals("uncompressed") ? "none" : target;
      assertThat(batch.compressionType().name).isEqualTo(name);
      assertThat(batch.producerId()).isEqualTo(9);
      assertThat(batch.producerEpoch()).isEqualTo((short) 3);
      assertThat(batch.baseSequence()).isEqualTo(17);
      assertThat(batch.maxTimestamp()).isEqualTo(NOW + 49);
      assertThat(valid.maxTimestampMs()).isEqualTo(NOW + 49);
      assertThat(valid.offsetCount()).isEqualTo(50);
      List<Record> after = new ArrayList<>();
      batch.forEach(after::add);
      assertThat(after).hasSameSizeAs(before);
      for (int i = 0; i < before.size(); i++) {
        assertThat(after.get(i).key()).isEqualTo(before.get(i).key());
        assertThat(after.get(i).value()).isEqualTo(before.get(i).value());
        assertThat(after.get(i).timestamp()).isEqualTo(before.get(i).timestamp());
        assertThat(after.get(i).offset()).isEqualTo(i);
      }
    }
  }

  /** A batch whose header is that of a plain one, and whose records are these bytes compressed. */
  private static MemoryRecords packed(MemoryRecords plain, String compression, byte[] records) {
    Compression type = Compression.of(compression).build();
    ByteBufferOutputStream packed = new ByteBufferOutputStream(512);
    packed.write(Batches.copyOf(plain), 0, BatchLayout.HEADER_BYTES);
    try (OutputStream out = type.wrapForOutput(packed, RecordBatch.CURRENT_MAGIC_VALUE)) {
      out.write(records);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return sealed(packed.buffer().flip(), type.type());
  }

  private static MemoryRecords sealed(ByteBuffer batch, CompressionType type) {
    batch.putInt(BatchLayout.LENGTH, batch.limit() - BatchLayout.LOG_OVERHEAD);
    batch.putShort(BatchLayout.ATTRIBUTES, (short) type.id);
    BatchLayout.rewriteCrc(batch, 0, batch.limit());
    return MemoryRecords.readableRecords(batch);
  }

  private static byte[] recordBytes(MemoryRecords plain) {
    byte[] all = Batches.copyOf(plain);
    return Arrays.copyOfRange(all, BatchLayout.HEADER_BYTES, all.length);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gzip", "snappy", "lz4", "zstd"})
  void garbageUnderASoundChecksumIsRefusedAndNamed(String compression) {
    byte[] header = Batches.copyOf(Batches.batch().by(77, 0, 12).of(records(3)));
    ByteBuffer batch = ByteBuffer.allocate(BatchLayout.HEADER_BYTES + 100);
    byte[] garbage = new byte[100];
    new Random(5).nextBytes(garbage);
    batch.put(header, 0, BatchLayout.HEADER_BYTES).put(garbage).flip();

    AppendOutcome.Rejected rejected =
        rejected(validate(sealed(batch, CompressionType.forName(compression))));

    assertThat(rejected.error()).isEqualTo(Errors.INVALID_RECORD);
    assertThat(rejected.message()).contains(compression, "3 records");
    if (!compression.equals("snappy")) {
      assertThat(rejected.message()).contains("producer 77", "sequence 12", "cannot be unpacked");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gzip", "snappy", "lz4", "zstd"})
  void compressedRecordsThatAreNotAsTheHeaderSaysAreInvalid(String compression) {
    MemoryRecords plain = Batches.batch().of(records(3));
    byte[] sound = recordBytes(plain);
    valid(validate(packed(plain, compression, sound)));

    byte[] cut = Arrays.copyOf(sound, sound.length - 1);
    assertThat(rejected(validate(packed(plain, compression, cut))).message())
        .contains("record 2 of 3 is malformed");
    byte[] longer = Arrays.copyOf(sound, sound.length + 1);
    assertThat(rejected(validate(packed(plain, compression, longer))).message())
        .contains("more bytes follow the last of 3 records");
    byte[] otherDelta = sound.clone();
    otherDelta[3] ^= 2;
    assertThat(rejected(validate(packed(plain, compression, otherDelta))).message())
        .contains("record 0 of 3 is malformed");
    byte[] none = {};
    assertThat(rejected(validate(packed(plain, compression, none))).error())
        .isEqualTo(Errors.INVALID_RECORD);
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "gzip", "snappy", "lz4", "zstd"})
  void recordsOfAnySizeAreWalkedWhereverTheUnpackerCutsThem(String compression) {
    Random random = new Random(11);
    List<SimpleRecord> all = new ArrayList<>();
    for (int size = 0; size < 300_000; size = size * 2 + random.nextInt(40)) {
      byte[] key = new byte[random.nextInt(size + 1)];
      byte[] value = new byte[size];
      random.nextBytes(value);
      Header header = new RecordHeader("h" + size, new byte[random.nextInt(size / 2 + 1)]);
      all.add(new SimpleRecord(NOW + size, key, value, new Header[] {header}));
      all.add(Batches.record(NOW, null, null));
    }
    MemoryRecords records =
        Batches.batch()
            .compressed(Compression.of(compression).build())
            .of(all.toArray(SimpleRecord[]::new));
    byte[] before = Batches.copyOf(records);

    BatchValidation.Valid valid = valid(validate(records, "max.message.bytes", "10000000"));

    assertThat(Batches.copyOf(valid.records())).isEqualTo(before);
    assertThat(valid.offsetCount()).isEqualTo(all.size());
    assertThat(valid.maxTimestampMs()).isEqualTo(all.get(all.size() - 2).timestamp());
  }

  @ParameterizedTest
  @ValueSource(strings = {"gzip", "lz4", "zstd", "snappy"})
  void batchThatUnpacksToTooMuchIsRefused(String compression) {
    // 272 MiB of zeros: 100 KB to 13 MB packed.
    SimpleRecord[] zeros = new SimpleRecord[272];
    Arrays.fill(zeros, new SimpleRecord(NOW, new byte[1], new byte[1 << 20]));
    MemoryRecords bomb = Batches.batch().compressed(Compression.of(compression).build()).of(zeros);
    assertThat(rejected(validate(bomb, "max.message.bytes", "100000000")).error())
        .isEqualTo(Errors.MESSAGE_TOO_LARGE);
    assertThat(
            rejected(
                    validate(
                        bomb, "max.message.bytes", "50000000", "compression.type", "uncompressed"))
                .error())
        .isIn(Errors.MESSAGE_TOO_LARGE, Errors.INVALID_RECORD);
  }

  @Test
  void snappyChunkThatClaimsGigabytesIsRefusedUnread() {
    MemoryRecords sound =
        Batches.batch().compressed(Compression.of("snappy").build()).of(records(9));
    ByteBuffer buffer = ByteBuffer.wrap(Batches.copyOf(sound));
    buffer.putInt(BatchLayout.HEADER_BYTES + 16, Integer.MAX_VALUE - 9);
    BatchLayout.rewriteCrc(buffer, 0, buffer.limit());
    assertThat(
            rejected(validate(MemoryRecords.readableRecords(buffer), "cleanup.policy", "compact"))
                .error())
        .isEqualTo(Errors.INVALID_RECORD);
  }

  @Test
  void mutatedBatchesNeverThrowAndNeverPassWithAWrongChecksum() {
    long seed = 20_261_121;
    Random random = new Random(seed);
    String[][] configs = {
      {},
      {"cleanup.policy", "compact"},
      {"compression.type", "lz4"},
      {"compression.type", "uncompressed", "message.timestamp.type", "LogAppendTime"}
    };
    String[] compressions = {"none", "gzip", "snappy", "lz4", "zstd"};
    int accepted = 0;
    for (int run = 0; run < 8_000; run++) {
      byte[] bytes =
          Batches.copyOf(
              Batches.batch()
                  .compressed(Compression.of(compressions[run % 5]).build())
                  .by(1, 0, 0)
                  .of(records(1 + random.nextInt(6))));
      for (int i = random.nextInt(4); i >= 0; i--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      boolean mend = random.nextBoolean() && BatchLayout.sizeBytes(buffer, 0) == bytes.length;
      if (mend) {
        BatchLayout.rewriteCrc(buffer, 0, bytes.length);
      }
      boolean sound =
          BatchLayout.sizeBytes(buffer, 0) == bytes.length
              && BatchLayout.storedCrc(buffer, 0)
                  == BatchLayout.computedCrc(buffer, 0, bytes.length);
      String[] config = configs[random.nextInt(configs.length)];
      BatchValidation validation;
      try {
        validation = validate(MemoryRecords.readableRecords(buffer), config);
      } catch (RuntimeException | Error e) {
        throw new AssertionError("seed " + seed + ", run " + run, e);
      }
      if (validation instanceof BatchValidation.Valid valid) {
        accepted++;
        assertThat(sound).as("seed %d, run %d", seed, run).isTrue();
        valid.records().batches().iterator().next().ensureValid();
      }
    }
    assertThat(accepted).isBetween(500, 7_000);
  }
}
