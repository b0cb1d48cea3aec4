package io.milena.cli;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Prints the completion script for bash and zsh. */
@Command(
    name = "completion",
    mixinStandardHelpOptions = true,
    description = "Print the tab-completion script for bash or zsh.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  source <(bin/milena completion)                                # this shell only",
      "  bin/milena completion > ~/.local/share/bash-completion/completions/milena"
    })
final class CompletionCommand implements Callable<Integer> {

  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    if (spec == null) {
      throw new IllegalStateException("not run by picocli");
    }
    var out = spec.commandLine().getOut();
    out.print(AutoComplete.bash("milena", spec.root().commandLine()));
    out.flush();
    return ExitCode.OK;
  }
}
