package io.sippbx.app.admin;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code sip-pbx admin media-nodes}. */
@Command(
    name = "media-nodes",
    description = "The media nodes, as the node that is asked sees them.",
    mixinStandardHelpOptions = true)
final class MediaNodesCommand implements Callable<Integer> {

  private static final String PATH = "/api/v1/media-nodes";
  private static final int ALL = 1_000;

  @Spec private CommandSpec spec = CommandSpec.create();
  @ParentCommand private AdminCommand admin = new AdminCommand();

  @Override
  public Integer call() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Missing required subcommand");
  }

  private static void print(Iterable<JsonNode> nodes, AdminCommand.Out out) {
    var table = new Table("NODE", "STATE", "SESSIONS", "OF", "PORT PAIRS IN USE", "OF", "SILENT");
    for (JsonNode node : nodes) {
      table.row(
          Shown.text(node, "node_id"),
          Shown.constant(node, "state", "MEDIA_NODE_STATE_"),
          Shown.text(node, "sessions"),
          Shown.text(node, "sessions_limit"),
          Shown.text(node, "port_pairs_in_use"),
          Shown.text(node, "port_pairs"),
          Shown.text(node, "silent_for"));
    }
    table.print(out.writer());
  }

  @Command(name = "list", description = "All of them.", mixinStandardHelpOptions = true)
  int list(@Mixin ListOptions options) {
    return admin.run(
        (client, out) -> {
          JsonNode all = client.list(PATH, "nodes", options.limit());
          out.print(
              all,
              () -> {
                print(all.path("nodes"), out);
                ListOptions.more(all, out.writer());
              });
        });
  }

  @Command(name = "drain", description = "Takes no new sessions.", mixinStandardHelpOptions = true)
  int drain(
      @Parameters(paramLabel = "NODE", description = "The node; - is the one that is asked.")
          String node,
      @Mixin Emptying emptying) {
    return admin.run(
        (client, out) -> {
          JsonNode drained = client.post(PATH + "/" + AdminClient.escaped(node) + ":drain");
          out.print(drained, () -> print(List.of(drained), out));
          String name = Shown.text(drained, "node_id");
          emptying.await("sessions", () -> sessions(client, name));
        });
  }

  private static long sessions(AdminClient client, String name) throws AdminFailure {
    for (JsonNode node : client.list(PATH, "nodes", ALL).path("nodes")) {
      if (Shown.text(node, "node_id").equals(name)) {
        return node.path("sessions").asLong();
      }
    }
    return 0;
  }

  @Command(name = "undrain", description = "Takes sessions again.", mixinStandardHelpOptions = true)
  int undrain(
      @Parameters(paramLabel = "NODE", description = "The node; - is the one that is asked.")
          String node) {
    return admin.run(
        (client, out) -> {
          JsonNode undrained = client.post(PATH + "/" + AdminClient.escaped(node) + ":undrain");
          out.print(undrained, () -> print(List.of(undrained), out));
        });
  }
}
