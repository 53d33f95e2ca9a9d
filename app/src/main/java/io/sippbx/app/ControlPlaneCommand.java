package io.sippbx.app;

import io.sippbx.shared.config.Role;
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

  /** What was asked for. */
  NodeStart start() {
    return options.start(Role.CONTROL_PLANE, Node.Planes.CONTROL, media);
  }

  @Override
  public Integer call() throws InterruptedException {
    return start().run();
  }
}
