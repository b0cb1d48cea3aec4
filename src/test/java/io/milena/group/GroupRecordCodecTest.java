package io.milena.group;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.milena.group.GroupMetadata.StoredMember;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds the codec against bytes that Apache Kafka wrote. */
class GroupRecordCodecTest {

  private static final List<String[]> GOLDEN = golden();
  private static final Map<String, String> VALUES =
      GOLDEN.stream()
          .filter(line -> line[0].equals("writer"))
          .collect(Collectors.toMap(line -> line[1], line -> line[2]));
  private static final TopicPartition PARTITION = new TopicPartition("t", 3);

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4})
  void everyVersionOfAnOffsetIsRead(int version) {
    CommittedOffset expected =
        new CommittedOffset(
            4242,
            version >= 3 ? 7 : -1,
            "größe",
            1700000000123L,
            version == 1 ? OptionalLong.of(1700000999999L) : OptionalLong.empty(),
            version >= 4 ? new Uuid(0x0102030405060708L, 0x1112131415161718L) : Uuid.ZERO_UUID);
    GroupRecord record =
        GroupRecordCodec.decode(offsetKey(), bytes(VALUES.get("offset-commit-value-v" + version)));
    assertThat(record).isEqualTo(new GroupRecord.OffsetStored("g", PARTITION, expected));
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "4", "4-without-topic-id"})
  void anOffsetIsWrittenAsKafkaWritesIt(String name) {
    String golden = VALUES.get("offset-commit-value-v" + name);
    GroupRecord record = GroupRecordCodec.decode(offsetKey(), bytes(golden));
    assertThat(hex(GroupRecordCodec.encodeValue(record))).isEqualTo(golden);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4})
  void everyVersionOfAGenerationIsRead(int version) {
    GroupRecord record =
        GroupRecordCodec.decode(groupKey(), bytes(VALUES.get("group-metadata-value-v" + version)));
    assertThat(record)
        .usingRecursiveComparison()
        .isEqualTo(
            new GroupRecord.GenerationStored(
                "g",
                new GroupMetadata(
                    "consumer",
                    3,
                    "range",
                    "c-1-uuid",
                    version >= 2 ? 1700000000123L : -1,
                    List.of(
                        new StoredMember(
                            "c-1-uuid",
                            version >= 3 ? "static-1" : null,
                            "c-1",
                            "/127.0.0.1",
                            version >= 1 ? 300000 : 45000,
                            45000,
                            new byte[] {0, 1, 2},
                            new byte[] {9, 8})))));
  }

  @Test
  void aGenerationWithoutMembersHasNoProtocolAndNoLeader() {
    GroupRecord record =
        GroupRecordCodec.decode(groupKey(), bytes(VALUES.get("group-metadata-value-v4-empty")));
    assertThat(record)
        .isEqualTo(
            new GroupRecord.GenerationStored(
                "g", new GroupMetadata("consumer", 4, null, null, 1700000000123L, List.of())));
  }

  @Test
  void theLogOfABrokerIsReadAndWrittenBackByteForByte() {
    List<String[]> log = GOLDEN.stream().filter(line -> line[0].equals("log")).toList();
    assertThat(log).hasSizeGreaterThan(5);
    for (String[] line : log) {
      ByteBuffer value = line[3].equals("-") ? null : bytes(line[3]);
      GroupRecord record = GroupRecordCodec.decode(bytes(line[2]), value);
      assertThat(record).isNotInstanceOf(GroupRecord.Unknown.class);
      assertThat(record.groupId()).startsWith("golden-");
      assertThat(hex(GroupRecordCodec.encodeKey(record))).as(line[1]).isEqualTo(line[2]);
      assertThat(hex(GroupRecordCodec.encodeValue(record))).as(line[1]).isEqualTo(line[3]);
    }
  }

  @Test
  void whatALaterVersionWroteIsLeftAlone() {
    assertThat(GroupRecordCodec.decode(offsetKey(), bytes("0005ffff")))
        .isEqualTo(new GroupRecord.Unknown("g", (short) 1, (short) 5));
    assertThat(GroupRecordCodec.decode(bytes("0003000167"), bytes("0000")))
        .isEqualTo(new GroupRecord.Unknown("", (short) 3, (short) 0));
  }

  @Test
  void aCutRecordIsRefused() {
    String whole = VALUES.get("group-metadata-value-v3");
    ByteBuffer cut = bytes(whole.substring(0, whole.length() / 2 / 2 * 2));
    assertThatThrownBy(() -> GroupRecordCodec.decode(groupKey(), cut))
        .isInstanceOf(RuntimeException.class);
  }

  private static ByteBuffer offsetKey() {
    return GroupRecordCodec.encodeKey(new GroupRecord.OffsetForgotten("g", PARTITION));
  }

  private static ByteBuffer groupKey() {
    return GroupRecordCodec.encodeKey(new GroupRecord.GroupForgotten("g"));
  }

  private static ByteBuffer bytes(String hex) {
    return ByteBuffer.wrap(HexFormat.of().parseHex(hex));
  }

  private static String hex(ByteBuffer buffer) {
    return buffer == null ? "-" : HexFormat.of().formatHex(buffer.array(), 0, buffer.remaining());
  }

  private static List<String[]> golden() {
    try (InputStream in =
        GroupRecordCodecTest.class.getResourceAsStream("kafka-4.4.0-records.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split(" "))
          .toList();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
