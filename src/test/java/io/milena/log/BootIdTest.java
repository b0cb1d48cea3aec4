package io.milena.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a node says of its logs when it comes back. */
class BootIdTest {

  @TempDir Path path;

  private boolean mayHaveLostRecords(Optional<String> bootId) {
    try (LogDirectory directory = LogDirectory.open(path, bootId)) {
      return directory.mayHaveLostRecords();
    }
  }

  private void use(Optional<String> bootId, boolean cleanly) {
    try (LogDirectory directory = LogDirectory.open(path, bootId)) {
      directory.markInUse();
      if (cleanly) {
        directory.markCleanShutdown();
      }
    }
  }

  @Test
  void aKilledProcessLosesNothingAndACrashedMachineMay() {
    use(Optional.of("monday"), false);
    assertThat(mayHaveLostRecords(Optional.of("monday"))).isFalse();
    assertThat(mayHaveLostRecords(Optional.of("tuesday"))).isTrue();
  }

  @Test
  void logsThatWereClosedHaveLostNothingWhateverHappenedSince() {
    use(Optional.of("monday"), true);
    assertThat(mayHaveLostRecords(Optional.of("tuesday"))).isFalse();
    assertThat(mayHaveLostRecords(Optional.empty())).isFalse();
    use(Optional.of("tuesday"), false);
    assertThat(mayHaveLostRecords(Optional.of("wednesday"))).isTrue();
  }

  @Test
  void whereLivesOfTheMachineCannotBeToldApartTheWorstIsTaken() {
    assertThat(mayHaveLostRecords(Optional.of("monday"))).as("never used").isTrue();
    use(Optional.empty(), false);
    assertThat(mayHaveLostRecords(Optional.empty())).isTrue();
    assertThat(mayHaveLostRecords(Optional.of("monday"))).isTrue();
  }

  @Test
  void thisMachineHasOneLifeAtATime() {
    assertThat(BootId.current()).isEqualTo(BootId.current());
  }
}
