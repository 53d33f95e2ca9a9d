package io.sippbx.app.admin;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code sip-pbx admin registrations}. */
@Command(
    name = "registrations",
    description = "Who is registered in the cluster.",
    mixinStandardHelpOptions = true)
final class RegistrationsCommand implements Callable<Integer> {

  private static final String PATH = "/api/v1/registrations";

  @Spec private CommandSpec spec = CommandSpec.create();
  @ParentCommand private AdminCommand admin = new AdminCommand();

  @Override
  public Integer call() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Missing required subcommand");
  }

  private static Table table() {
    return new Table("ADDRESS", "CONTACT", "RECEIVED FROM", "EXPIRES", "USER AGENT");
  }

  private static void add(Table table, JsonNode registration) {
    for (JsonNode contact : registration.path("contacts")) {
      table.row(
          Shown.text(registration, "address_of_record"),
          Shown.text(contact, "uri"),
          Shown.text(contact, "received"),
          Shown.time(contact, "expires_at"),
          Shown.text(contact, "user_agent"));
    }
  }

  @Command(name = "list", description = "Everybody.", mixinStandardHelpOptions = true)
  int list(@Mixin ListOptions options) {
    return admin.run(
        (client, out) -> {
          JsonNode all = client.list(PATH, "registrations", options.limit());
          out.print(
              all,
              () -> {
                Table table = table();
                all.path("registrations").forEach(each -> add(table, each));
                table.print(out.writer());
                ListOptions.more(all, out.writer());
              });
        });
  }

  @Command(name = "show", description = "One user.", mixinStandardHelpOptions = true)
  int show(@Parameters(paramLabel = "ADDRESS", description = "user@host.") String address) {
    return admin.run(
        (client, out) -> {
          JsonNode registration = client.get(PATH + "/" + AdminClient.escaped(address));
          out.print(
              registration,
              () -> {
                Table table = table();
                add(table, registration);
                table.print(out.writer());
              });
        });
  }
}
