package io.sippbx.app;

import io.sippbx.app.admin.AdminCommand;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line: its sub-commands. */
@Command(
    name = "sip-pbx",
    description = "A SIP edge whose calls outlive its nodes.",
    mixinStandardHelpOptions = true,
    versionProvider = Cli.Version.class,
    synopsisSubcommandLabel = "COMMAND")
final class Cli {

  private record Sub(String name, Supplier<Object> command) {}

  private static final List<Sub> SUBS =
      List.of(
          new Sub("standalone", StandaloneCommand::new),
          new Sub("control-plane", ControlPlaneCommand::new),
          new Sub("media-plane", MediaPlaneCommand::new),
          new Sub("event-plane", EventPlaneCommand::new),
          new Sub("admin", AdminCommand::new),
          new Sub("demo", DemoCommand::new));

  private Cli() {}

  /** The version of the build, from the manifest where there is one. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Cli.class.getPackage().getImplementationVersion();
      return new String[] {"sip-pbx " + (version == null ? "development build" : version)};
    }
  }

  /** Runs a command; the exit code. */
  static int run(String... args) {
    return commandLine(args).execute(args);
  }

  /** What is to read these words. */
  static CommandLine commandLine(String... args) {
    var root = new CommandLine(new Cli());
    // To read what all of them take is a good part of a node's start: the one that is asked for
    // will do, where it can be told.
    List<Sub> named =
        SUBS.stream().filter(each -> Arrays.asList(args).contains(each.name())).toList();
    for (Sub each : named.isEmpty() ? SUBS : named) {
      root.addSubcommand(each.name(), each.command().get());
    }
    return root;
  }
}
