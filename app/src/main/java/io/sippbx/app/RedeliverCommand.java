package io.sippbx.app;

import io.sippbx.event.kafka.KafkaDeadLetters;
import io.sippbx.event.webhook.DeadLetter;
import io.sippbx.event.webhook.DeadLetterFile;
import io.sippbx.event.webhook.DeadLetterSource;
import io.sippbx.event.webhook.DeadLetters;
import io.sippbx.event.webhook.DeliveryLog;
import io.sippbx.event.webhook.Redelivery;
import io.sippbx.event.webhook.http.HttpWebhooks;
import io.sippbx.shared.config.ConfigResult;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.config.EventsConfig;
import io.sippbx.shared.config.Role;
import io.sippbx.shared.kafka.KafkaAccess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sip-pbx event-plane redeliver}: dead letters delivered after all. */
@Command(
    name = "redeliver",
    description =
        "Posts again the webhooks that were given up and were not delivered since. Receivers know"
            + " those that they have by webhook-id.",
    mixinStandardHelpOptions = true)
final class RedeliverCommand implements Callable<Integer> {

  @Mixin private ConfigOptions options = new ConfigOptions();

  @Option(names = "--receiver", paramLabel = "NAME", description = "Only those for this receiver.")
  private @Nullable String receiver;

  @Option(names = "--call", paramLabel = "KEY", description = "Only those of this call.")
  private @Nullable String call;

  @Option(
      names = "--from",
      paramLabel = "TIME",
      description = "Only those given up from then on, as in 2025-01-05T00:00:00Z.")
  private Instant from = Instant.EPOCH;

  @Option(names = "--to", paramLabel = "TIME", description = "Only those given up before then.")
  private Instant to = Instant.MAX;

  @Option(names = "--dry-run", description = "Show them, one line of JSON each; post nothing.")
  private boolean dryRun;

  @Override
  public Integer call() throws InterruptedException {
    return switch (options.load(Role.TOOL, List.of())) {
      case ConfigResult.Refused refused -> {
        System.err.println(refused.report());
        yield 1;
      }
      case ConfigResult.Loaded loaded -> redeliver(loaded.configuration());
    };
  }

  private int redeliver(Configuration config) throws InterruptedException {
    EventsConfig events = config.events();
    try {
      var range = new DeadLetterSource.Range(from, to);
      var choice =
          new Redelivery.Choice(range, Optional.ofNullable(receiver), Optional.ofNullable(call));
      if (receiver != null
          && events.receivers().stream().noneMatch(each -> each.name().equals(receiver))) {
        System.err.println(
            "sip-pbx: --receiver = "
                + receiver
                + ": expected one of "
                + events.receivers().stream().map(EventsConfig.Receiver::name).toList());
        return 2;
      }
      Path folder = DeliveriesCommand.folder(config);
      if (!config.kafka().isUsed()) {
        var file = new DeadLetterFile(folder);
        return run(events, choice, file, file, folder);
      }
      try (var topic =
          new KafkaDeadLetters(
              KafkaAccess.of(config.kafka()),
              config.kafka().topics(),
              events.records().deadLetterTopic())) {
        return run(events, choice, topic, topic, folder);
      }
    } catch (IOException e) {
      System.err.println("sip-pbx: " + e.getMessage());
      return 1;
    }
  }

  private int run(
      EventsConfig events,
      Redelivery.Choice choice,
      DeadLetterSource source,
      DeadLetters notes,
      Path folder)
      throws IOException, InterruptedException {
    var redelivery = new Redelivery(source, notes, Clock.systemUTC());
    if (dryRun) {
      for (DeadLetter each : redelivery.choose(choice)) {
        System.out.writeBytes(each.encode());
        System.out.println();
      }
      return 0;
    }
    try (HttpWebhooks http =
            HttpWebhooks.open(events.reach(), events.delivery().timeout(), Clock.systemUTC());
        var deliveries = new DeliveryLog(folder, events.records().logDays(), Clock.systemUTC())) {
      Redelivery.Done done =
          redelivery.run(
              choice,
              events.receivers(),
              events.delivery(),
              http::to,
              // Where there is no log, nobody looks for one.
              Files.isDirectory(folder) ? deliveries : told -> {});
      System.out.printf(
          "%d webhooks delivered, %d not taken, %d for receivers that are not configured%s%n",
          done.delivered(),
          done.failed(),
          done.unknown(),
          done.isAll() ? "" : "; there are more: run it again");
      return done.failed() == 0 ? 0 : 3;
    }
  }
}
