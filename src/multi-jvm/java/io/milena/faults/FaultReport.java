package io.milena.faults;

import io.milena.AcknowledgedRecords;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Locale;

/** What the cases measured: rows of a table in {@code target/faults/report.md}. */
final class FaultReport {

  /** Where the cases leave their figures and what the nodes printed. */
  static final Path DIRECTORY = Path.of("target", "faults");

  private FaultReport() {}

  /** Adds the row of a case in which nothing was lost. */
  static synchronized void add(String fault, Duration longestGap, AcknowledgedRecords load)
      throws IOException {
    String row =
        String.format(
            Locale.ROOT,
            "| %s | %.2f s | %,d | %,d |%n",
            fault,
            longestGap.toMillis() / 1000.0,
            load.acknowledgedCount(),
            load.retries());
    Files.createDirectories(DIRECTORY);
    Path report = DIRECTORY.resolve("report.md");
    if (!Files.exists(report)) {
      row =
          String.format(
                  "| fault | longest gap | acknowledged | sent again |%n| --- | --- | --- | ---"
                      + " |%n")
              + row;
    }
    Files.writeString(
        report, row, StandardOpenOption.CREATE, StandardOpenOption.APPEND, StandardOpenOption.SYNC);
    System.out.print(row);
  }
}
