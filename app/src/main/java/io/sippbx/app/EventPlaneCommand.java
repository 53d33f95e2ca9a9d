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
    description = "Takes events from Kafka: writes CDRs and posts webhooks.",
    mixinStandardHelpOptions = true,
    subcommands = {ReplayCommand.class, RedeliverCommand.class, DeliveriesCommand.class})
final class EventPlaneCommand implements Callable<Integer> {

  @Mixin private ConfigOptions options = new ConfigOptions();

  @Option(
      names = "--cdr",
      description = "Write CDRs; without --webhooks nothing else, whatever the configuration says.")
  private boolean cdr;

  @Option(
      names = "--webhooks",
      description = "Post webhooks; without --cdr nothing else, whatever the configuration says.")
  private boolean webhooks;

  @Override
  public Integer call() throws InterruptedException {
    List<Assignment> chosen =
        cdr || webhooks
            ? List.of(
                new Assignment("cdr.enabled", String.valueOf(cdr), "--cdr"),
                new Assignment("events.webhooks_enabled", String.valueOf(webhooks), "--webhooks"))
            : List.of();
    return Running.run(options.load(Role.EVENT_PLANE, chosen), Node.Planes.EVENTS);
  }
}
