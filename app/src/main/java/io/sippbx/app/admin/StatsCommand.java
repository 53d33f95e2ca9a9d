package io.sippbx.app.admin;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** {@code sip-pbx admin stats}. */
@Command(
    name = "stats",
    description = "Counts of the node that is asked, since its start.",
    mixinStandardHelpOptions = true)
final class StatsCommand implements Callable<Integer> {

  @ParentCommand private AdminCommand admin = new AdminCommand();

  @Override
  public Integer call() {
    return admin.run(
        (client, out) -> {
          JsonNode stats = client.get("/api/stats");
          out.print(
              stats,
              () -> {
                var table = new Table("NODE", Shown.text(stats, "uptime_seconds") + " s up");
                for (String field :
                    new String[] {
                      "active_calls",
                      "total_calls",
                      "failed_calls",
                      "success_rate",
                      "average_call_duration"
                    }) {
                  table.row(name(field), Shown.text(stats, field));
                }
                JsonNode ports = stats.path("port_pool");
                table.row(
                    "ports in use",
                    Shown.text(ports, "in_use") + " of " + Shown.text(ports, "total"));
                table.print(out.writer());
              });
        });
  }

  private static String name(String field) {
    return field.replace('_', ' ').toLowerCase(Locale.ROOT);
  }
}
