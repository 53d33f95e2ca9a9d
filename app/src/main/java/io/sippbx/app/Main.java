package io.sippbx.app;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The one executable. */
@Command(
    name = "sip-pbx",
    description = "A SIP edge whose calls outlive its nodes.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      StandaloneCommand.class,
      ControlPlaneCommand.class,
      MediaPlaneCommand.class,
      DemoCommand.class
    })
public final class Main {

  private Main() {}

  /** The version of the build, from the manifest where there is one. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"sip-pbx " + (version == null ? "development build" : version)};
    }
  }

  /**
   * Runs a command; exits 0 when it did what it promises, 1 when not, 2 for a wrong command line.
   */
  public static void main(String[] args) {
    System.exit(new CommandLine(new Main()).execute(args));
  }
}
