package io.milena.cli.topics;

import com.fasterxml.jackson.databind.node.ArrayNode;
import io.milena.cli.CliException;
import io.milena.cli.ExitCode;
import io.milena.cli.Output;
import org.jspecify.annotations.Nullable;

/** How a command that changes several topics goes on past a refusal: the rest is still tried. */
final class Changes {

  private Changes() {}

  /** Keeps the first refusal for the exit code and tells each further one at once. */
  static CliException remember(Output output, @Nullable CliException first, CliException next) {
    if (first == null) {
      return next;
    }
    output.remark("milena: " + next.getMessage());
    return first;
  }

  static int finish(Output output, ArrayNode report, @Nullable CliException failure) {
    if (output.isJson()) {
      output.json(report);
    }
    if (failure != null) {
      throw failure;
    }
    return ExitCode.OK;
  }
}
