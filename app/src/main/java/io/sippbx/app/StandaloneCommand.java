package io.sippbx.app;

import io.sippbx.shared.config.Role;
import java.util.List;
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

  @Override
  public Integer call() throws InterruptedException {
    return Running.run(options.load(Role.STANDALONE, List.of()), Node.Planes.ALL);
  }
}
