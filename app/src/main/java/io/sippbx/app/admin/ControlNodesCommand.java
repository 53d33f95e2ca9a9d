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

/** {@code sip-pbx admin control-nodes}. */
@Command(
    name = "control-nodes",
    description = "The control nodes of the cluster.",
    mixinStandardHelpOptions = true)
final class ControlNodesCommand implements Callable<Integer> {

  private static final String PATH = "/api/v1/control-nodes";

  @Spec private CommandSpec spec = CommandSpec.create();
  @ParentCommand private AdminCommand admin = new AdminCommand();

  @Override
  public Integer call() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Missing required subcommand");
  }

  private static void print(Iterable<JsonNode> nodes, AdminCommand.Out out) {
    var table = new Table("NODE", "STATE", "IN FLIGHT", "START", "");
    for (JsonNode node : nodes) {
      table.row(
          Shown.text(node, "node_id"),
          Shown.constant(node, "state", "CONTROL_NODE_STATE_"),
          Shown.text(node, "in_flight_calls"),
          Shown.text(node, "incarnation"),
          node.path("is_this").asBoolean() ? "this one" : "");
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

  @Command(
      name = "drain",
      description = "Takes no new calls; those that are up go on.",
      mixinStandardHelpOptions = true)
  int drain(
      @Parameters(
              paramLabel = "NODE",
              arity = "0..1",
              defaultValue = "-",
              description = "The node; without it the one that is asked.")
          String node,
      @Mixin Emptying emptying) {
    return admin.run(
        (client, out) -> {
          JsonNode drained = client.post(PATH + "/" + AdminClient.escaped(node) + ":drain");
          out.print(drained, () -> print(List.of(drained), out));
          emptying.await("calls", () -> client.get("/api/stats").path("active_calls").asLong());
        });
  }

  @Command(name = "undrain", description = "Takes calls again.", mixinStandardHelpOptions = true)
  int undrain(
      @Parameters(
              paramLabel = "NODE",
              arity = "0..1",
              defaultValue = "-",
              description = "The node; without it the one that is asked.")
          String node) {
    return admin.run(
        (client, out) -> {
          JsonNode undrained = client.post(PATH + "/" + AdminClient.escaped(node) + ":undrain");
          out.print(undrained, () -> print(List.of(undrained), out));
        });
  }
}
