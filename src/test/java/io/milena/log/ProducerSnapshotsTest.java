package io.milena.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProducerSnapshotsTest {

  private static final long EXPIRATION_MS = 1_000;

  @TempDir Path directory;
  private ProducerSnapshots snapshots;
  private final ProducerStates states = new ProducerStates(0);

  @BeforeEach
  void open() throws Exception {
    snapshots = ProducerSnapshots.open(directory);
  }

  private void appendOne() {
    long offset = states.endOffset();
    MemoryRecords batch = Batches.batch().at(offset).by(9, 1, (int) offset).ofCount(1);
    assertThat(states.update(batch.buffer(), 0)).isNull();
  }

  @Test
  void bytesAreKafkas() {
    byte[] bytes =
        ProducerSnapshots.encode(
                List.of(
                    new ProducerSnapshotEntry(
                        4000, (short) 2, 17, 123, 5, 1_700_000_000_000L, 3, -1)))
            .array();
    assertThat(HexFormat.of().formatHex(bytes, 6, bytes.length))
        .isEqualTo(
            "00000001" // count
                + "0000000000000fa0"
                + "0002"
                + "00000011"
                + "000000000000007b"
                + "00000005"
                + "0000018bcfe56800"
                + "00000003"
                + "ffffffffffffffff");
    assertThat(HexFormat.of().formatHex(bytes, 0, 2)).isEqualTo("0001");
  }

  @Test
  void newestSnapshotWithinTheLogIsLoaded() throws Exception {
    for (int i = 0; i < 5; i++) {
      appendOne();
      snapshots.take(states, i % 2 == 0);
    }
    assertThat(directory.resolve("00000000000000000003.snapshot")).exists();
    ProducerSnapshots reopened = ProducerSnapshots.open(directory);
    ProducerStates loaded = new ProducerStates(0);
    reopened.reload(loaded, 1, 4, 0, EXPIRATION_MS);
    assertThat(loaded.endOffset()).isEqualTo(4);
    assertThat(loaded.snapshot().getFirst().lastOffset()).isEqualTo(3);
    assertThat(reopened.offsets()).containsExactly(2L, 3L, 4L);
    assertThat(directory.resolve("00000000000000000005.snapshot")).doesNotExist();
  }

  @Test
  void damagedSnapshotIsDeletedAndTheOneBeforeIsLoaded() throws Exception {
    appendOne();
    snapshots.take(states, true);
    appendOne();
    snapshots.take(states, true);
    Path newest = directory.resolve("00000000000000000002.snapshot");
    byte[] bytes = Files.readAllBytes(newest);
    for (int cut = 0; cut < bytes.length; cut++) {
      Files.write(newest, java.util.Arrays.copyOf(bytes, cut));
      ProducerStates loaded = new ProducerStates(0);
      ProducerSnapshots reopened = ProducerSnapshots.open(directory);
      reopened.reload(loaded, 0, 2, 0, EXPIRATION_MS);
      assertThat(loaded.endOffset()).isEqualTo(1);
      assertThat(newest).doesNotExist();
    }
    for (int at = 0; at < bytes.length; at++) {
      byte[] flipped = bytes.clone();
      flipped[at] ^= 1;
      Files.write(newest, flipped);
      ProducerStates loaded = new ProducerStates(0);
      ProducerSnapshots.open(directory).reload(loaded, 0, 2, 0, EXPIRATION_MS);
      assertThat(loaded.endOffset()).as("byte " + at).isEqualTo(1);
    }
  }

  @Test
  void withoutSnapshotTheLogIsReplayedFromItsStart() throws Exception {
    ProducerStates loaded = new ProducerStates(0);
    snapshots.reload(loaded, 30, 40, 0, EXPIRATION_MS);
    assertThat(loaded.endOffset()).isEqualTo(30);
  }

  @Test
  void snapshotsOfSegmentsAndTheNewestAreKept() throws Exception {
    for (int i = 0; i < 6; i++) {
      appendOne();
      snapshots.take(states, false);
    }
    snapshots.retain(List.of(2L, 4L));
    assertThat(snapshots.offsets()).containsExactly(2L, 4L, 6L);
    snapshots.deleteBefore(4);
    assertThat(ProducerSnapshots.open(directory).offsets()).containsExactly(4L, 6L);
  }
}
