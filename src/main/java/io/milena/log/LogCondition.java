package io.milena.log;

import java.nio.file.Path;
import java.util.List;

/**
 * What {@link LogCheck} found in a log's directory.
 *
 * @param directory of the log
 * @param startOffset first offset that any segment holds
 * @param endOffset exclusive end of the records that can be read without a gap in what is sound:
 *     everything below lies before the first damage
 * @param knownEndOffset exclusive end of all that is known to have been in the log; what lies
 *     between {@code endOffset} and this is lost, or lies behind the damage
 * @param segments log files
 * @param sizeBytes of the log files
 * @param batches sound ones, also behind the damage
 * @param records in them
 * @param epochs leader epochs as the batches before the first damage name them
 * @param findings what is wrong or worth knowing; empty when nothing is
 */
public record LogCondition(
    Path directory,
    long startOffset,
    long endOffset,
    long knownEndOffset,
    int segments,
    long sizeBytes,
    long batches,
    long records,
    LeaderEpochHistory epochs,
    List<Finding> findings) {

  public LogCondition {
    findings = List.copyOf(findings);
  }

  /** How bad a finding is, and what helps. */
  public enum Kind {
    /** Worth knowing; the next start of the node deals with it, or nothing has to be done. */
    NOTE,
    /** A file beside the records is damaged: it can be made anew from them, nothing is lost. */
    SIDE_FILE,
    /** Records are gone without a trace but their offsets; only a copy brings them back. */
    LOST,
    /** Records are damaged: the log stays offline, or its readers stop there, until it is cut. */
    DAMAGED
  }

  /**
   * One thing found.
   *
   * @param kind how bad it is
   * @param file name of the file in the directory; empty when it is about the whole
   * @param what one sentence
   */
  public record Finding(Kind kind, String file, String what) {}

  /** Whether there is anything of this kind. */
  public boolean has(Kind kind) {
    return findings.stream().anyMatch(finding -> finding.kind() == kind);
  }

  /** Whether nothing is wrong. */
  public boolean sound() {
    return findings.stream().allMatch(finding -> finding.kind() == Kind.NOTE);
  }
}
