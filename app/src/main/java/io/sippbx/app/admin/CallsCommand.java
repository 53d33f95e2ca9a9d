package io.sippbx.app.admin;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code sip-pbx admin calls}. */
@Command(name = "calls", description = "The calls of the cluster.", mixinStandardHelpOptions = true)
final class CallsCommand implements Callable<Integer> {

  private static final String PATH = "/api/v1/calls";
  private static final String STATE = "CALL_STATE_";

  @Spec private CommandSpec spec = CommandSpec.create();
  @ParentCommand private AdminCommand admin = new AdminCommand();

  @Override
  public Integer call() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Missing required subcommand");
  }

  @Command(
      name = "list",
      description = "Calls that have not ended.",
      mixinStandardHelpOptions = true)
  int list(@Mixin ListOptions options) {
    return admin.run(
        (client, out) -> {
          JsonNode all = client.list(PATH, "calls", options.limit());
          out.print(
              all,
              () -> {
                var table =
                    new Table("CALL", "STATE", "CALLER", "CALLEE", "STARTED", "ANSWERED", "MEDIA");
                for (JsonNode call : all.path("calls")) {
                  table.row(
                      Shown.text(call, "call_key"),
                      Shown.constant(call, "state", STATE),
                      Shown.text(call, "caller"),
                      Shown.text(call, "callee"),
                      Shown.time(call, "started_at"),
                      Shown.time(call, "answered_at"),
                      Shown.text(call, "media_node"));
                }
                table.print(out.writer());
                ListOptions.more(all, out.writer());
              });
        });
  }

  @Command(
      name = "show",
      description = "One call as it is stored.",
      mixinStandardHelpOptions = true)
  int show(@Parameters(paramLabel = "CALL", description = "Its key.") String key) {
    return admin.run(
        (client, out) -> {
          JsonNode call = client.get(PATH + "/" + AdminClient.escaped(key));
          out.print(call, () -> whole(call, out.writer()));
        });
  }

  private static void whole(JsonNode call, PrintWriter out) {
    JsonNode summary = call.path("summary");
    var facts = new Table("CALL", Shown.text(summary, "call_key"));
    facts.row("state", Shown.constant(summary, "state", STATE));
    facts.row("caller", Shown.text(call.path("caller"), "uri") + ip(call.path("caller")));
    facts.row("callee", Shown.text(call.path("callee"), "uri") + ip(call.path("callee")));
    facts.row("started", Shown.time(summary, "started_at"));
    facts.row("answered", Shown.time(summary, "answered_at"));
    facts.row("ended", Shown.time(call, "ended_at"));
    facts.row("result", Shown.text(call, "result"));
    facts.row("reason", Shown.text(call, "reason"));
    facts.row("owner", Shown.text(call, "owner"));
    facts.row("version", Shown.text(call, "version"));
    JsonNode media = call.path("media");
    facts.row("media node", Shown.text(media, "node"));
    facts.row(
        "media revision",
        Shown.text(media, "revision") + " (held: " + Shown.text(media, "held_revision") + ")");
    facts.row("codec", Shown.text(media, "codec"));
    for (JsonNode open : call.path("open_transactions")) {
      facts.row("open", open.asText());
    }
    facts.print(out);
    var dialogs =
        new Table("DIALOG", "CALL-ID", "LOCAL TAG", "REMOTE TAG", "CSEQ", "NEXT HOP", "STATE");
    for (JsonNode dialog : call.path("dialogs")) {
      dialogs.row(
          Shown.constant(dialog, "side", "SIDE_"),
          Shown.text(dialog, "call_id"),
          Shown.text(dialog, "local_tag"),
          Shown.text(dialog, "remote_tag"),
          Shown.text(dialog, "local_cseq") + "/" + Shown.text(dialog, "remote_cseq"),
          Shown.text(dialog, "next_hop"),
          dialog.path("early").asBoolean() ? "early" : Shown.text(dialog, "end"));
    }
    out.println();
    dialogs.print(out);
    var streams =
        new Table("STREAM", "CALLER SENDS TO", "CALLEE SENDS TO", "TO CALLER", "TO CALLEE");
    for (JsonNode stream : media.path("streams")) {
      streams.row(
          Shown.text(stream, "index") + " " + Shown.text(stream, "media"),
          Shown.text(stream, "caller_local"),
          Shown.text(stream, "callee_local"),
          Shown.text(stream, "caller_remote"),
          Shown.text(stream, "callee_remote"));
    }
    out.println();
    streams.print(out);
    var timers = new Table("TIMER", "DUE");
    for (JsonNode timer : call.path("timers")) {
      timers.row(Shown.text(timer, "name"), Shown.time(timer, "due_at"));
    }
    out.println();
    timers.print(out);
  }

  private static String ip(JsonNode party) {
    String ip = Shown.text(party, "ip");
    return ip.isEmpty() ? "" : " (" + ip + ")";
  }

  @Command(name = "hangup", description = "Ends calls.", mixinStandardHelpOptions = true)
  int hangup(
      @Parameters(paramLabel = "CALL", arity = "1..*", description = "Their keys.")
          List<String> keys) {
    return admin.run(
        (client, out) -> {
          for (String key : keys) {
            JsonNode answer = client.post(PATH + "/" + AdminClient.escaped(key) + ":hangup");
            out.print(
                answer,
                () -> {
                  out.writer().println("hanging up " + Shown.text(answer, "call_key"));
                  out.writer().flush();
                });
          }
        });
  }
}
