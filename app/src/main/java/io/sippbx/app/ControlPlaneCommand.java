package io.sippbx.app;

import io.sippbx.shared.config.Assignment;
import io.sippbx.shared.config.Role;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sip-pbx control-plane}: a SIP edge node that uses media nodes elsewhere. */
@Command(
    name = "control-plane",
    description = "A SIP edge node; relays media through media nodes elsewhere.",
    mixinStandardHelpOptions = true)
final class ControlPlaneCommand implements Callable<Integer> {

  @Mixin private ConfigOptions options = new ConfigOptions();

  @Option(
      names = "--media",
      paramLabel = "HOST:PORT,...",
      description = "Media nodes (media.nodes).")
  private @Nullable String media;

  @Override
  public Integer call() throws InterruptedException {
    var assignments = new ArrayList<Assignment>();
    if (media != null) {
      assignments.add(new Assignment("media.nodes", media, "--media"));
    }
    return Running.run(options.load(Role.CONTROL_PLANE, assignments), Node.Planes.CONTROL);
  }
}
