package io.sippbx.app.admin;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Options of lists. */
final class ListOptions {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "1000",
      description = "How many at most, 1 to 100000 (default: ${DEFAULT-VALUE}).")
  private int limit = 1_000;

  int limit() {
    if (limit < 1 || limit > 100_000) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--limit = " + limit + ": expected 1 to 100000");
    }
    return limit;
  }

  /** Says so if there is more than was shown. */
  static void more(JsonNode list, PrintWriter out) {
    if (!Shown.text(list, "next_page_token").isEmpty()) {
      out.println("... and more: see --limit");
      out.flush();
    }
  }
}
