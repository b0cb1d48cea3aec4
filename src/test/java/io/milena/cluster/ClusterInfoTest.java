package io.milena.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.milena.metadata.NodeImage.ClusterAddress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterInfoTest {

  private static final ClusterInfo CLUSTER =
      new ClusterInfo(
          new Uuid(4, -5),
          12,
          List.of(
              new ClusterInfo.Member(1, 7, new ClusterAddress("one.example", 19092)),
              new ClusterInfo.Member(40, 9, new ClusterAddress("127.0.0.1", 1))),
          Set.of(40));

  @Test
  void answerIsReadAsItWasWritten() throws Exception {
    assertThat(ClusterInfo.decode(ByteBuffer.wrap(CLUSTER.encode()))).isEqualTo(CLUSTER);
  }

  @Test
  void cutAnswerIsRefused() {
    byte[] bytes = CLUSTER.encode();
    for (int length = 0; length < bytes.length; length++) {
      ByteBuffer cut = ByteBuffer.wrap(Arrays.copyOf(bytes, length));
      assertThatThrownBy(() -> ClusterInfo.decode(cut)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void nodeThatIsFencedOrNotRegisteredAnyMoreHasBeenGivenUp() {
    assertThat(CLUSTER.hasGivenUp(1, 7, 11)).isEmpty();
    assertThat(CLUSTER.hasGivenUp(1, 6, 11)).isPresent();
    assertThat(CLUSTER.hasGivenUp(2, 7, 11)).isPresent();
    assertThat(CLUSTER.hasGivenUp(40, 9, 11)).isPresent();
    assertThat(CLUSTER.hasGivenUp(40, 9, 12)).as("it has seen that itself").isEmpty();
  }

  @Test
  void newNodeGetsTheIdAfterTheLargest() {
    assertThat(CLUSTER.nextNodeId()).isEqualTo(41);
  }

  @Test
  void fileKeepsTheNodes(@TempDir Path directory) throws Exception {
    assertThat(KnownNodes.read(directory)).isEmpty();
    KnownNodes.of(true, CLUSTER).write(directory);
    KnownNodes.of(false, CLUSTER).write(directory);
    KnownNodes read = KnownNodes.read(directory).orElseThrow();
    assertThat(read.founder()).isFalse();
    assertThat(read.members()).isEqualTo(CLUSTER.nodes());
  }

  @Test
  void damagedFileIsNamed(@TempDir Path directory) throws Exception {
    Files.writeString(directory.resolve("known-nodes.json"), "{\"founder\":tru");
    assertThatThrownBy(() -> KnownNodes.read(directory))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("known-nodes.json is damaged");
  }
}
