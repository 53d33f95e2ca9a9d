package io.sippbx.app;

import io.sippbx.event.webhook.DeliveryLog;
import io.sippbx.shared.config.ConfigResult;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.config.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sip-pbx event-plane deliveries}: what became of the webhooks of a call. */
@Command(
    name = "deliveries",
    description = "Shows every attempt to deliver the webhooks of a call, one line of JSON each.",
    mixinStandardHelpOptions = true)
final class DeliveriesCommand implements Callable<Integer> {

  @Mixin private ConfigOptions options = new ConfigOptions();

  @Option(
      names = "--call",
      required = true,
      paramLabel = "KEY",
      description = "The call's key, or an address-of-record.")
  private String call = "";

  @Option(
      names = "--dir",
      paramLabel = "FOLDER",
      description = "Where the log is; by default events.webhook_dir.")
  private @Nullable Path dir;

  @Override
  public Integer call() {
    return switch (options.load(Role.TOOL, List.of())) {
      case ConfigResult.Refused refused -> {
        System.err.println(refused.report());
        yield 1;
      }
      case ConfigResult.Loaded loaded -> show(loaded.configuration());
    };
  }

  private int show(Configuration config) {
    Path folder = dir == null ? folder(config) : dir;
    try {
      DeliveryLog.find(folder, call, System.out::println);
      return 0;
    } catch (IOException e) {
      System.err.println(
          "sip-pbx: events.webhook_dir = "
              + folder
              + ": expected a log of deliveries that can be read, but "
              + e);
      return 1;
    }
  }

  /** The configured one, or the one that standalone takes when that cannot be written. */
  static Path folder(Configuration config) {
    Path configured = config.events().records().dir();
    Path own = config.standalone().dataDir().resolve("webhooks");
    return config.events().records().dirIsDefault()
            && !Files.isDirectory(configured)
            && Files.isDirectory(own)
        ? own
        : configured;
  }
}
