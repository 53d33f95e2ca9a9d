package io.sippbx.app;

import io.sippbx.shared.config.Role;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code sip-pbx standalone}: all planes in one process. */
@Command(
    name = "standalone",
    description = "All planes in one process.",
    mixinStandardHelpOptions = true)
final class StandaloneCommand implements Callable<Integer> {

  @Mixin private ConfigOptions options = new ConfigOptions();

  /** What was asked for. */
  NodeStart start() {
    return options.start(Role.STANDALONE, Node.Planes.ALL, null);
  }

  @Override
  public Integer call() throws InterruptedException {
    return start().run();
  }
}
