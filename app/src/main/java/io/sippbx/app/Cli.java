package io.sippbx.app;

import io.sippbx.app.admin.AdminCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line: its sub-commands. */
@Command(
    name = "sip-pbx",
    description = "A SIP edge whose calls outlive its nodes.",
    mixinStandardHelpOptions = true,
    versionProvider = Cli.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      StandaloneCommand.class,
      ControlPlaneCommand.class,
      MediaPlaneCommand.class,
      EventPlaneCommand.class,
      AdminCommand.class,
      DemoCommand.class
    })
final class Cli {

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
    return new CommandLine(new Cli()).execute(args);
  }
}
