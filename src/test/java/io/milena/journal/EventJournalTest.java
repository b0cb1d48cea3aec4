package io.milena.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class EventJournalTest {
  private static final int SEGMENT_BYTES = 500;

  @TempDir Path directory;

  @Test
  void eventsSurviveReopening() throws IOException {
    try (var journal = open(Disk.REAL)) {
      journal.write("a", List.of(event(1), event(2))).join();
      journal.write("b", List.of(event(1))).join();
      journal.write("a", List.of(event(3))).join();
    }
    try (var journal = open(Disk.REAL)) {
      assertThat(replayed(journal, "a", 1, Long.MAX_VALUE, 100)).containsExactly(1L, 2L, 3L);
      assertThat(replayed(journal, "a", 2, 3, 1)).containsExactly(2L);
      assertThat(journal.highest("b").join()).isEqualTo(1);
      assertThat(journal.highest("nobody").join()).isZero();
    }
  }

  @Test
  void tornLastWriteIsDroppedWhereverItWasCut() throws IOException {
    try (var journal = open(Disk.REAL)) {
      journal.write("a", List.of(event(1))).join();
    }
    Path file = onlySegment();
    byte[] before = Files.readAllBytes(file);
    try (var journal = open(Disk.REAL)) {
      journal.write("a", List.of(event(2), event(3))).join();
    }
    byte[] after = Files.readAllBytes(file);
    for (int length = before.length; length < after.length; length++) {
      Files.write(file, Arrays.copyOf(after, length));
      try (var journal = open(Disk.REAL)) {
        assertThat(journal.highest("a").join()).as("cut at %d", length).isEqualTo(1);
        journal.write("a", List.of(event(2))).join();
      }
      try (var journal = open(Disk.REAL)) {
        assertThat(replayed(journal, "a", 1, 9, 9)).as("cut at %d", length).containsExactly(1L, 2L);
      }
    }
  }

  @Test
  void lengthenedFileOfZerosIsATornWrite() throws IOException {
    try (var journal = open(Disk.REAL)) {
      journal.write("a", List.of(event(1))).join();
    }
    Path file = onlySegment();
    byte[] content = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(content, content.length + 4096));
    try (var journal = open(Disk.REAL)) {
      assertThat(replayed(journal, "a", 1, 9, 9)).containsExactly(1L);
    }
  }

  @Test
  void aReserveBehindTheEventsIsNeitherLossNorDamageAfterAKill(@TempDir Path killed)
      throws IOException {
    try (var journal = open(Disk.REAL)) {
      writeSegments(journal, "a", 40);
      List<Long> numbers = JournalSegment.numbersIn(directory);
      for (long number : numbers) {
        // What a kill leaves: nothing was closed.
        String name = "%020d.journal".formatted(number);
        long size = Files.size(directory.resolve(name));
        if (number == numbers.getLast()) {
          assertThat(size).isGreaterThanOrEqualTo(EventJournal.RESERVE_BYTES / 2);
        } else {
          assertThat(size).as("sealed").isLessThan(EventJournal.RESERVE_BYTES / 2);
        }
        Files.copy(directory.resolve(name), killed.resolve(name));
      }
    }
    for (int life = 0; life < 2; life++) {
      try (var journal = new EventJournal(killed, SEGMENT_BYTES, Disk.REAL)) {
        assertThat(journal.highest("a").join()).isEqualTo(40);
        assertThat(replayed(journal, "a", 1, 99, 99)).hasSize(40);
        journal.write("b", List.of(event(life + 1))).join();
      }
    }
    try (var journal = open(Disk.REAL)) {
      assertThat(journal.highest("a").join()).isEqualTo(40);
    }
    long last = JournalSegment.numbersIn(directory).getLast();
    assertThat(Files.size(directory.resolve("%020d.journal".formatted(last))))
        .as("a journal that is closed keeps no reserve")
        .isLessThan(EventJournal.RESERVE_BYTES / 2);
  }

  @Test
  void damageInASealedSegmentIsRefusedAndNamed() throws IOException {
    try (var journal = open(Disk.REAL)) {
      writeSegments(journal, "a", 40);
    }
    Path first = directory.resolve("%020d.journal".formatted(1));
    byte[] content = Files.readAllBytes(first);
    content[content.length / 2] ^= 1;
    Files.write(first, content);

    assertThatThrownBy(() -> open(Disk.REAL))
        .isInstanceOf(JournalDamagedException.class)
        .hasMessageContaining(first.toString());
    // The directory is not left locked.
    content[content.length / 2] ^= 1;
    Files.write(first, content);
    open(Disk.REAL).close();
  }

  @Test
  void writesThatWaitShareOneFlush() throws Exception {
    var disk = new GatedDisk();
    try (var journal = open(disk)) {
      var first = journal.write("first", List.of(event(1)));
      disk.entered.await();
      var waiting = new ArrayList<CompletableFuture<?>>();
      for (int i = 0; i < 100; i++) {
        waiting.add(journal.write("actor-" + i, List.of(event(1))));
      }
      assertThat(first).isNotDone();
      disk.gate.countDown();
      CompletableFuture.allOf(waiting.toArray(CompletableFuture[]::new)).join();
      assertThat(first).isDone();
    }
    assertThat(disk.forces).hasValue(2);
  }

  @Test
  void failedFlushRefusesEverythingFromThenOn() throws IOException {
    var disk = new FailingDisk();
    try (var journal = open(disk)) {
      journal.write("a", List.of(event(1))).join();
      assertThat(journal.failed()).isNotCompleted();
      disk.isFailing = true;
      assertThat(journal.write("a", List.of(event(2)))).failsWithin(10, TimeUnit.SECONDS);
      disk.isFailing = false;
      assertThat(journal.write("a", List.of(event(2))))
          .failsWithin(10, TimeUnit.SECONDS)
          .withThrowableThat()
          .withMessageContaining("restart the node");
      assertThat(journal.failed()).isCompleted();
    }
    // What was reported as failed may be there or not; what was acknowledged is.
    try (var journal = open(Disk.REAL)) {
      assertThat(replayed(journal, "a", 1, 9, 9)).startsWith(1L);
    }
  }

  @Test
  void anErrorOfTheWriterIsAFailureLikeAnyOther() throws IOException {
    var broken =
        new Disk() {
          @Override
          public void force(FileChannel channel) {
            throw new StackOverflowError("as the test wants it");
          }

          @Override
          public void forceDirectory(Path directory) {}
        };
    try (var journal = open(broken)) {
      assertThat(journal.write("a", List.of(event(1)))).failsWithin(10, TimeUnit.SECONDS);
      assertThat(journal.highest("a")).failsWithin(10, TimeUnit.SECONDS);
    }
  }

  @Test
  void deletedEventsAreGoneAndTheirSegmentsToo() throws IOException {
    try (var journal = open(Disk.REAL)) {
      writeSegments(journal, "a", 60);
      long filesBefore = JournalSegment.numbersIn(directory).size();
      assertThat(filesBefore).isGreaterThan(4);

      journal.deleteTo("a", 59).join();
      assertThat(replayed(journal, "a", 1, 99, 99)).containsExactly(60L);
      assertThat(JournalSegment.numbersIn(directory).size()).isLessThanOrEqualTo(3);
    }
    try (var journal = open(Disk.REAL)) {
      assertThat(replayed(journal, "a", 1, 99, 99)).containsExactly(60L);
      assertThat(journal.highest("a").join()).isEqualTo(60);
    }
  }

  @Test
  void highestSequenceNumberOutlivesEveryEventAndSegment() throws IOException {
    try (var journal = open(Disk.REAL)) {
      writeSegments(journal, "a", 30);
      journal.deleteTo("a", Long.MAX_VALUE).join();
      // More and more segments come and go; the note must be carried along.
      for (int round = 0; round < 5; round++) {
        writeSegments(journal, "other-" + round, 30);
        journal.deleteTo("other-" + round, Long.MAX_VALUE).join();
      }
      assertThat(JournalSegment.numbersIn(directory).getFirst()).isGreaterThan(5);
    }
    try (var journal = open(Disk.REAL)) {
      assertThat(journal.highest("a").join()).isEqualTo(30);
      assertThat(replayed(journal, "a", 1, 99, 99)).isEmpty();
    }
  }

  @Test
  void longReplayComesInOrderAndOnce() throws IOException {
    try (var journal = open(Disk.REAL)) {
      writeSegments(journal, "a", 300);
      var expected = java.util.stream.LongStream.rangeClosed(1, 300).boxed().toList();
      assertThat(replayed(journal, "a", 1, Long.MAX_VALUE, Long.MAX_VALUE)).isEqualTo(expected);
    }
  }

  @Test
  void directoryHasOneOwner() throws IOException {
    var journal = open(Disk.REAL);
    assertThatThrownBy(() -> open(Disk.REAL))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("in use");
    journal.close();
    open(Disk.REAL).close();
  }

  @Test
  void killedProcessLosesNothingItAcknowledged() throws Exception {
    var process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                Victim.class.getName(),
                directory.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    long acknowledged = 0;
    try (var lines = process.inputReader()) {
      while (acknowledged < 200) {
        acknowledged = Long.parseLong(lines.readLine());
      }
      // Process.destroyForcibly would close the stream that still holds acknowledgements.
      process.toHandle().destroyForcibly();
      process.waitFor();
      String line = lines.readLine();
      while (line != null && !line.isEmpty()) {
        acknowledged = Math.max(acknowledged, Long.parseLong(line));
        line = lines.readLine();
      }
    }
    try (var journal = open(Disk.REAL)) {
      assertThat(journal.highest("victim").join()).isGreaterThanOrEqualTo(acknowledged);
      assertThat(replayed(journal, "victim", acknowledged, acknowledged, 1))
          .containsExactly(acknowledged);
    }
  }

  /** Writes until it is killed; prints what was acknowledged. */
  static final class Victim {
    public static void main(String[] arguments) throws IOException {
      try (var journal = new EventJournal(Path.of(arguments[0]), SEGMENT_BYTES, Disk.REAL)) {
        for (long sequenceNumber = 1; ; sequenceNumber++) {
          journal.write("victim", List.of(event(sequenceNumber))).join();
          System.out.println(sequenceNumber);
        }
      }
    }
  }

  private EventJournal open(Disk disk) throws IOException {
    return new EventJournal(directory, SEGMENT_BYTES, disk);
  }

  private Path onlySegment() throws IOException {
    assertThat(JournalSegment.numbersIn(directory)).containsExactly(1L);
    return directory.resolve("%020d.journal".formatted(1));
  }

  private static void writeSegments(EventJournal journal, String persistenceId, int count) {
    for (int i = 1; i <= count; i++) {
      journal.write(persistenceId, List.of(event(i))).join();
    }
  }

  private static List<Long> replayed(
      EventJournal journal, String persistenceId, long from, long to, long countMax) {
    var found = new ArrayList<Long>();
    journal
        .replay(
            persistenceId,
            from,
            to,
            countMax,
            event -> {
              assertThat(event.data()).isEqualTo(event(event.sequenceNumber()).data());
              found.add(event.sequenceNumber());
            })
        .join();
    return found;
  }

  private static StoredEvent event(long sequenceNumber) {
    byte[] data = new byte[(int) (sequenceNumber % 17) + 1];
    Arrays.fill(data, (byte) sequenceNumber);
    return new StoredEvent(sequenceNumber, data);
  }

  /** Holds the first flush until it is let go. */
  private static final class GatedDisk implements Disk {
    final CountDownLatch entered = new CountDownLatch(1);
    final CountDownLatch gate = new CountDownLatch(1);
    final AtomicInteger forces = new AtomicInteger();

    @Override
    public void force(FileChannel channel) throws IOException {
      forces.incrementAndGet();
      entered.countDown();
      try {
        gate.await();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      Disk.REAL.force(channel);
    }

    @Override
    public void forceDirectory(Path directory) throws IOException {
      Disk.REAL.forceDirectory(directory);
    }
  }

  private static final class FailingDisk implements Disk {
    volatile boolean isFailing;

    @Override
    public void force(FileChannel channel) throws IOException {
      if (isFailing) {
        throw new IOException("No space left on device");
      }
      Disk.REAL.force(channel);
    }

    @Override
    public void forceDirectory(Path directory) throws IOException {
      Disk.REAL.forceDirectory(directory);
    }
  }
}
