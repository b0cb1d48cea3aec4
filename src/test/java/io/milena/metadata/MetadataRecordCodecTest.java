package io.milena.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.milena.metadata.MetadataRecordCodec.UnreadableMetadataException;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;

class MetadataRecordCodecTest {

  private static final List<MetadataRecord> VERSION_1 =
      List.of(
          new MetadataRecord.ClusterCreated(new Uuid(1, 2)),
          new MetadataRecord.NodeRegistered(
              new NodeImage(
                  3,
                  new Uuid(4, 5),
                  6,
                  List.of(new NodeImage.Endpoint("L", "h", 9092, "SSL")),
                  new NodeImage.ClusterAddress("c", 19092),
                  Optional.of("r"),
                  List.of(new Uuid(-1, -2)),
                  true,
                  false)),
          new MetadataRecord.NodeChanged(3, false, true),
          new MetadataRecord.ReplicaSetChanged(
              new ReplicaSetImage(
                  1,
                  List.of(3, 200),
                  List.of(),
                  List.of(),
                  -1,
                  70,
                  List.of(),
                  List.of(3),
                  List.of(200),
                  300,
                  true)),
          new MetadataRecord.ReplicaSetRemoved(2),
          new MetadataRecord.TopicCreated("tø", new Uuid(7, 8), true, List.of(0, 1, 0)),
          new MetadataRecord.PartitionsAdded(new Uuid(7, 8), List.of(1)),
          new MetadataRecord.TopicDeleted(new Uuid(7, 8)),
          new MetadataRecord.ConfigsChanged(
              new ConfigResource(ConfigResource.Type.TOPIC, "t"),
              Map.of("a", Optional.of("1"), "b", Optional.empty())),
          new MetadataRecord.ProducerIdsAllocated(Long.MAX_VALUE));

  /** What version 1 could not say. */
  private static final List<MetadataRecord> SINCE_VERSION_2 =
      List.of(
          new MetadataRecord.ReplicaSetChanged(
              new ReplicaSetImage(
                  4,
                  List.of(5, 3, 200),
                  List.of(5),
                  List.of(200),
                  3,
                  1,
                  List.of(3, 200),
                  List.of(),
                  List.of(),
                  2,
                  true)),
          new MetadataRecord.PartitionsMoved(new Uuid(7, 8), Map.of(0, 4, 2, 5)),
          new MetadataRecord.NodeUnregistered(300),
          new MetadataRecord.FeatureChanged("f", (short) 7));

  /** What version 2 could not say. */
  private static final MetadataRecord SINCE_VERSION_3 =
      new MetadataRecord.ReplicaSetChanged(
          new ReplicaSetImage(
              5,
              List.of(3, 200),
              List.of(),
              List.of(),
              3,
              1,
              List.of(3),
              List.of(),
              List.of(),
              2,
              true,
              List.of(200)));

  private static final List<MetadataRecord> ONE_OF_EACH =
      Stream.of(VERSION_1, SINCE_VERSION_2, List.of(SINCE_VERSION_3))
          .flatMap(List::stream)
          .toList();

  /** What release 1 wrote must be readable for ever. */
  private static final String GOLDEN_1 =
      "011401000000000000000100000000000000020206000000000000000400000000000000050c0202"
          + "4c0268888e010653534c0263a8aa0201027202fffffffffffffffffffffffffffffffe01000306000104020406"
          + "9003018c01000206029003d804010504060674c3b800000000000000070000000000000008010600"
          + "02000700000000000000070000000000000008020208000000000000000700000000000000080902"
          + "02740402610102310262000afeffffffffffffffff01";

  @Test
  void oneOfEachRoundTrips() {
    byte[] bytes = MetadataRecordCodec.encode(ONE_OF_EACH);
    assertThat(MetadataRecordCodec.decode(bytes)).isEqualTo(ONE_OF_EACH);
    assertThat(MetadataRecordCodec.encode(MetadataRecordCodec.decode(bytes))).isEqualTo(bytes);
  }

  @Test
  void whatVersion1WroteIsRead() {
    assertThat(MetadataRecordCodec.decode(HexFormat.of().parseHex(GOLDEN_1))).isEqualTo(VERSION_1);
  }

  @Test
  void setsOfVersion2HaveNoOfflineReplicas() {
    List<MetadataRecord> set = List.of(SINCE_VERSION_2.getFirst());
    byte[] bytes = MetadataRecordCodec.encode(set);
    byte[] asBefore = Arrays.copyOf(bytes, bytes.length - 1);
    asBefore[0] = 2;
    assertThat(MetadataRecordCodec.decode(asBefore)).isEqualTo(set);
  }

  @Test
  void everyTruncationAndEveryAddedByteIsRefused() {
    byte[] bytes = MetadataRecordCodec.encode(ONE_OF_EACH);
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> MetadataRecordCodec.decode(cut))
          .isInstanceOf(UnreadableMetadataException.class);
    }
    byte[] longer = Arrays.copyOf(bytes, bytes.length + 1);
    assertThatThrownBy(() -> MetadataRecordCodec.decode(longer))
        .isInstanceOf(UnreadableMetadataException.class)
        .hasMessageContaining("1 bytes after its end");
  }

  @Test
  void newerVersionIsRefusedWithAdvice() {
    byte[] bytes = MetadataRecordCodec.encode(ONE_OF_EACH);
    bytes[0] = 4;
    assertThatThrownBy(() -> MetadataRecordCodec.decode(bytes))
        .isInstanceOf(UnreadableMetadataException.class)
        .hasMessageContaining("version 4")
        .hasMessageContaining("reads up to 3");
    byte[] image = MetadataRecordCodec.encodeImage(MetadataImage.EMPTY);
    image[0] = 9;
    assertThatThrownBy(() -> MetadataRecordCodec.decodeImage(image))
        .isInstanceOf(UnreadableMetadataException.class)
        .hasMessageContaining("snapshot has version 9");
  }

  @Test
  void fiveThousandPartitionsTakeAByteEach() {
    MetadataRecord topic =
        new MetadataRecord.TopicCreated("t", new Uuid(1, 1), false, Collections.nCopies(5000, 12));
    assertThat(MetadataRecordCodec.encode(List.of(topic))).hasSizeLessThan(5050);
  }
}
