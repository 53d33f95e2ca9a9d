package io.sippbx.app.admin;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** {@code sip-pbx admin ledger}. */
@Command(
    name = "ledger",
    description = "What is recorded against what media nodes hold: exits with 1 if it differs.",
    mixinStandardHelpOptions = true)
final class LedgerCommand implements Callable<Integer> {

  @ParentCommand private AdminCommand admin = new AdminCommand();

  @Override
  public Integer call() {
    return admin.run(
        (client, out) -> {
          JsonNode ledger = client.get("/api/v1/ledger");
          out.print(ledger, () -> print(ledger, out));
          if (!ledger.path("balanced").asBoolean()) {
            throw new AdminFailure(AdminFailure.Kind.FAILED, "the ledger does not balance");
          }
        });
  }

  private static void print(JsonNode ledger, AdminCommand.Out out) {
    var table =
        new Table(
            "MEDIA NODE", "IN STORE", "SESSIONS", "PAIRS ALLOCATED", "PAIRS BOUND", "BALANCED");
    for (JsonNode line : ledger.path("lines")) {
      String problem = Shown.text(line, "problem");
      table.row(
          Shown.text(line, "media_node"),
          Shown.text(line, "in_store"),
          Shown.text(line, "sessions"),
          Shown.text(line, "port_pairs_allocated"),
          Shown.text(line, "port_pairs_bound"),
          line.path("balanced").asBoolean() ? "yes" : problem.isEmpty() ? "NO" : problem);
    }
    table.print(out.writer());
    for (JsonNode line : ledger.path("lines")) {
      for (JsonNode call : line.path("not_in_store")) {
        out.writer().println("on " + Shown.text(line, "media_node") + " only: " + call.asText());
      }
      for (JsonNode call : line.path("not_on_node")) {
        out.writer().println("not on " + Shown.text(line, "media_node") + ": " + call.asText());
      }
    }
    out.writer().flush();
  }
}
