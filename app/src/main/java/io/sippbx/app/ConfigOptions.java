package io.sippbx.app;

import io.sippbx.shared.config.Assignment;
import io.sippbx.shared.config.ConfigLoader;
import io.sippbx.shared.config.ConfigResult;
import io.sippbx.shared.config.Role;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options that say where the configuration comes from. */
final class ConfigOptions {

  @Option(names = "--config", paramLabel = "FILE", description = "Configuration file (YAML).")
  private @Nullable Path file;

  @Option(
      names = "--log-level",
      paramLabel = "LEVEL",
      description = "TRACE, DEBUG, INFO, WARN or ERROR (logging.level).")
  private @Nullable String logLevel;

  @Option(names = "--port", paramLabel = "N", description = "SIP port (sip.listen_port).")
  private @Nullable String port;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Any value, as in --set media.rtp_timeout=120. May be repeated.")
  private List<String> values = new ArrayList<>();

  /**
   * What these options ask for.
   *
   * @param media where a control node's media nodes are, if that was said
   */
  NodeStart start(Role role, Node.Planes planes, @Nullable String media) {
    return new NodeStart(
        role, planes, Optional.ofNullable(file), assignments(media, logLevel, port, values));
  }

  /** The configuration, or all that is wrong with it. */
  ConfigResult load(Role role, List<Assignment> more) {
    var assignments = new ArrayList<Assignment>(more);
    assignments.addAll(assignments(null, logLevel, port, values));
    return ConfigLoader.load(role, Optional.ofNullable(file), System.getenv(), assignments);
  }

  /**
   * The values of the command line, the later over the earlier.
   *
   * @param values of {@code --set}
   */
  static List<Assignment> assignments(
      @Nullable String media,
      @Nullable String logLevel,
      @Nullable String port,
      List<String> values) {
    var assignments = new ArrayList<Assignment>();
    if (media != null) {
      assignments.add(new Assignment("media.nodes", media, "--media"));
    }
    if (logLevel != null) {
      assignments.add(new Assignment("logging.level", logLevel, "--log-level"));
    }
    if (port != null) {
      assignments.add(new Assignment("sip.listen_port", port, "--port"));
    }
    for (String value : values) {
      int equals = value.indexOf('=');
      assignments.add(
          equals < 0
              ? new Assignment(value, "", "--set")
              : new Assignment(value.substring(0, equals), value.substring(equals + 1), "--set"));
    }
    return assignments;
  }
}
