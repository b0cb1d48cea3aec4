package io.milena.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.milena.log.LogView.AbortedTransaction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TransactionIndexTest {

  @TempDir Path directory;

  private Path file() {
    return directory.resolve("00000000000000000000.txnindex");
  }

  private TransactionIndex filled() throws Exception {
    TransactionIndex index = TransactionIndex.open(file(), 0);
    index.append(new TransactionIndex.Entry(1, 0, 10, 11));
    index.append(new TransactionIndex.Entry(2, 5, 20, 12));
    index.append(new TransactionIndex.Entry(3, 12, 30, 31));
    return index;
  }

  private static List<AbortedTransaction> find(TransactionIndex index, long from, long to)
      throws Exception {
    List<AbortedTransaction> found = new ArrayList<>();
    index.collect(from, to, found);
    return found;
  }

  @Test
  void thereIsNoFileWithoutAbortedTransactions() throws Exception {
    try (TransactionIndex index = TransactionIndex.open(file(), 0)) {
      assertThat(index.isEmpty()).isTrue();
      assertThat(find(index, 0, 100)).isEmpty();
      index.truncateTo(0);
    }
    assertThat(file()).doesNotExist();
  }

  @Test
  void overlappingTransactionsAreFound() throws Exception {
    try (TransactionIndex index = filled()) {
      assertThat(find(index, 0, 5)).containsExactly(new AbortedTransaction(1, 0));
      assertThat(find(index, 11, 100))
          .containsExactly(new AbortedTransaction(2, 5), new AbortedTransaction(3, 12));
      assertThat(find(index, 31, 100)).isEmpty();
      assertThat(index.collect(0, 31, new ArrayList<>())).as("no need to look further").isTrue();
      assertThat(index.collect(0, 32, new ArrayList<>())).isFalse();
    }
    assertThat(Files.size(file())).isEqualTo(3 * 34);
  }

  @Test
  void markersComeInOrder() throws Exception {
    try (TransactionIndex index = filled()) {
      assertThatThrownBy(() -> index.append(new TransactionIndex.Entry(4, 0, 30, 31)))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void truncationDropsMarkersFromTheOffsetOn() throws Exception {
    try (TransactionIndex index = filled()) {
      index.truncateTo(30);
      assertThat(index.entries()).hasSize(2);
      index.append(new TransactionIndex.Entry(5, 25, 26, 27));
      index.truncateTo(20);
      assertThat(index.entries()).containsExactly(new TransactionIndex.Entry(1, 0, 10, 11));
    }
    try (TransactionIndex index = TransactionIndex.open(file(), 0)) {
      assertThat(index.entries()).hasSize(1);
      assertThat(index.wasDamaged()).isFalse();
    }
  }

  @Test
  void tornTailIsCutAndReported() throws Exception {
    filled().close();
    byte[] bytes = Files.readAllBytes(file());
    Files.write(file(), java.util.Arrays.copyOf(bytes, bytes.length - 1));
    try (TransactionIndex index = TransactionIndex.open(file(), 0)) {
      assertThat(index.wasDamaged()).isTrue();
      assertThat(index.entries()).hasSize(2);
    }
    Files.write(file(), new byte[2 * 34]);
    try (TransactionIndex index = TransactionIndex.open(file(), 5)) {
      assertThat(index.wasDamaged()).isTrue();
      assertThat(index.isEmpty()).isTrue();
    }
  }

  @Test
  void followsARenameAndADelete() throws Exception {
    try (TransactionIndex index = filled()) {
      Path moved = directory.resolve("moved");
      index.renameTo(moved);
      assertThat(index.entries()).hasSize(3);
      assertThat(file()).doesNotExist();
      index.delete();
      assertThat(moved).doesNotExist();
    }
  }
}
