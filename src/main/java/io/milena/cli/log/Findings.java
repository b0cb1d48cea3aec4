package io.milena.cli.log;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.milena.cli.Output;
import io.milena.cli.Table;
import io.milena.log.LogCondition;
import io.milena.log.LogCondition.Finding;
import io.milena.log.LogCondition.Kind;
import java.util.List;
import java.util.Locale;

/** How conditions of logs are shown. */
final class Findings {

  private Findings() {}

  /** One word for a log as a whole. */
  static String state(LogCondition log) {
    if (log.has(Kind.DAMAGED)) {
      return "damaged";
    }
    if (log.has(Kind.LOST)) {
      return "incomplete";
    }
    return log.has(Kind.SIDE_FILE) ? "repairable" : "sound";
  }

  static String name(LogCondition log) {
    return String.valueOf(log.directory().getFileName());
  }

  /** A row for each log. */
  static Table table(List<LogCondition> logs) {
    Table table =
        new Table("PARTITION", "STATE", "FROM", "TO", "SEGMENTS", "BATCHES", "RECORDS", "BYTES");
    for (LogCondition log : logs) {
      table.row(
          name(log),
          state(log),
          log.startOffset(),
          log.endOffset(),
          log.segments(),
          log.batches(),
          log.records(),
          log.sizeBytes());
    }
    return table;
  }

  /** A line for each finding. */
  static List<String> lines(LogCondition log) {
    return log.findings().stream()
        .map(finding ->
            name(log)
                + (finding.file().isEmpty() ? "" : "/" + finding.file())
                + ": "
                + finding.what())
        .toList();
  }

  /** Which offsets a cut would lose, or has lost. */
  static String losses(LogCondition log) {
    return log.knownEndOffset() > log.endOffset()
        ? "offsets " + log.endOffset() + " to " + (log.knownEndOffset() - 1)
        : "no offsets that are known, only the bytes behind offset " + (log.endOffset() - 1);
  }

  static ObjectNode json(LogCondition log) {
    ObjectNode node =
        Output.object()
            .put("partition", name(log))
            .put("directory", log.directory().toString())
            .put("state", state(log))
            .put("startOffset", log.startOffset())
            .put("endOffset", log.endOffset())
            .put("knownEndOffset", log.knownEndOffset())
            .put("segments", log.segments())
            .put("batches", log.batches())
            .put("records", log.records())
            .put("bytes", log.sizeBytes());
    var findings = node.putArray("findings");
    for (Finding finding : log.findings()) {
      findings
          .addObject()
          .put("kind", finding.kind().name().toLowerCase(Locale.ROOT))
          .put("file", finding.file())
          .put("what", finding.what());
    }
    return node;
  }
}
