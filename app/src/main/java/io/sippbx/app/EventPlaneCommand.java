package io.sippbx.app;

import io.sippbx.shared.config.Assignment;
import io.sippbx.shared.config.Role;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sip-pbx event-plane}: makes of events what others are to have of them. */
@Command(
    name = "event-plane",
    description = "Takes call events from Kafka and writes CDRs.",
    mixinStandardHelpOptions = true,
    subcommands = ReplayCommand.class)
final class EventPlaneCommand implements Callable<Integer> {

  @Mixin private ConfigOptions options = new ConfigOptions();

  @Option(names = "--cdr", description = "Write CDRs, whatever cdr.enabled says.")
  private boolean cdr;

  @Override
  public Integer call() throws InterruptedException {
    List<Assignment> chosen =
        cdr ? List.of(new Assignment("cdr.enabled", "true", "--cdr")) : List.of();
    return Running.run(options.load(Role.EVENT_PLANE, chosen), Node.Planes.EVENTS);
  }
}
