package io.sippbx.app.admin;

import com.fasterxml.jackson.databind.JsonNode;
import io.sippbx.shared.config.Secret;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code sip-pbx admin}: what there is, and what is to be done with it. */
@Command(
    name = "admin",
    description = "Shows and changes what a running system has, through the admin API of a node.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      CallsCommand.class,
      RegistrationsCommand.class,
      ControlNodesCommand.class,
      MediaNodesCommand.class,
      LedgerCommand.class,
      StatsCommand.class
    },
    exitCodeListHeading = "Exit status:%n",
    exitCodeList = {
      "0:done",
      "1:the server refused it, or something that it needs did not answer",
      "2:the command line is not right",
      "3:the server was not reached",
      "4:the token is missing or another",
      "5:there is no such call, registration or node"
    })
public final class AdminCommand implements Callable<Integer> {

  private static final String TOKEN_VARIABLE = "SIP_PBX_ADMIN_TOKEN";
  private static final String SERVER_VARIABLE = "SIPPBX_SERVER";
  private static final String DEFAULT_SERVER = "http://127.0.0.1:8080";

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--server",
      paramLabel = "URL",
      scope = ScopeType.INHERIT,
      description =
          "The node to ask, any of the cluster ($" + SERVER_VARIABLE + "; " + DEFAULT_SERVER + ").")
  private @Nullable String server;

  @Option(
      names = "--token",
      paramLabel = "TOKEN",
      scope = ScopeType.INHERIT,
      description = "Its admin.token. Others see the command line: better $" + TOKEN_VARIABLE + ".")
  private @Nullable String token;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      scope = ScopeType.INHERIT,
      description = "A file that holds the token.")
  private @Nullable Path tokenFile;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORM",
      scope = ScopeType.INHERIT,
      defaultValue = "table",
      description = "table or json (default: ${DEFAULT-VALUE}).")
  private String output = "table";

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      scope = ScopeType.INHERIT,
      defaultValue = "15",
      description = "For one request (default: ${DEFAULT-VALUE}).")
  private int timeoutSeconds = 15;

  /** What a sub-command does with the server. */
  @FunctionalInterface
  interface Task {
    void run(AdminClient client, Out out) throws AdminFailure;
  }

  /** Where a sub-command prints, and how. */
  record Out(PrintWriter writer, boolean json) {
    /** JSON as it is, where that was asked for; else what {@code table} prints. */
    void print(JsonNode answer, Runnable table) {
      if (json) {
        writer.println(AdminClient.text(answer));
        writer.flush();
      } else {
        table.run();
      }
    }
  }

  /** Without a sub-command: how it is used. */
  @Override
  public Integer call() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Missing required subcommand");
  }

  /** Runs a task; the exit status. */
  int run(Task task) {
    CommandLine line = spec.commandLine();
    String form = output.toLowerCase(Locale.ROOT);
    if (!form.equals("table") && !form.equals("json")) {
      throw new CommandLine.ParameterException(
          line, "--output = " + output + ": expected table or json");
    }
    if (timeoutSeconds < 1 || timeoutSeconds > 600) {
      throw new CommandLine.ParameterException(
          line, "--timeout = " + timeoutSeconds + ": expected 1 to 600 seconds");
    }
    try (var client = new AdminClient(serverUri(), bearer(), Duration.ofSeconds(timeoutSeconds))) {
      task.run(client, new Out(line.getOut(), form.equals("json")));
      return 0;
    } catch (AdminFailure e) {
      line.getErr().println("sip-pbx admin: " + e.getMessage());
      line.getErr().flush();
      return e.kind().exitStatus();
    }
  }

  private URI serverUri() {
    String text =
        server != null ? server : System.getenv().getOrDefault(SERVER_VARIABLE, DEFAULT_SERVER);
    try {
      var uri = new URI(text);
      String scheme = String.valueOf(uri.getScheme());
      if ((scheme.equals("http") || scheme.equals("https")) && uri.getHost() != null) {
        return new URI(scheme, null, uri.getHost(), uri.getPort(), "/", null, null);
      }
    } catch (URISyntaxException e) {
      // Said below.
    }
    throw new CommandLine.ParameterException(
        spec.commandLine(), "--server = " + text + ": expected http://host:port");
  }

  private Optional<Secret<String>> bearer() {
    if (token != null && tokenFile != null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--token-file = " + tokenFile + ": expected no --token beside it");
    }
    if (token != null) {
      return Optional.of(new Secret<>(token));
    }
    if (tokenFile != null) {
      try {
        return Optional.of(new Secret<>(Files.readString(tokenFile).strip()));
      } catch (IOException e) {
        throw new CommandLine.ParameterException(
            spec.commandLine(),
            "--token-file = " + tokenFile + ": expected a file that can be read, but " + e,
            e);
      }
    }
    String fromEnvironment = System.getenv().getOrDefault(TOKEN_VARIABLE, "");
    return fromEnvironment.isEmpty()
        ? Optional.empty()
        : Optional.of(new Secret<>(fromEnvironment));
  }
}
