package io.sippbx.app;

import io.sippbx.event.cdr.CdrWriter;
import io.sippbx.event.kafka.KafkaReplay;
import io.sippbx.shared.config.Assignment;
import io.sippbx.shared.config.ConfigResult;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.config.Role;
import io.sippbx.shared.kafka.KafkaAccess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sip-pbx event-plane replay}: CDR files made again from what the topic still has. */
@Command(
    name = "replay",
    description = "Makes CDR files again, of calls that ended in a span of time.",
    mixinStandardHelpOptions = true)
final class ReplayCommand implements Callable<Integer> {

  @Mixin private ConfigOptions options = new ConfigOptions();

  @Option(
      names = "--from",
      required = true,
      paramLabel = "TIME",
      description = "The earliest end of a call, as in 2025-01-05T00:00:00Z.")
  private Instant from = Instant.EPOCH;

  @Option(
      names = "--to",
      required = true,
      paramLabel = "TIME",
      description = "Before it they ended.")
  private Instant to = Instant.MAX;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "FOLDER",
      description = "A folder for the files; those that it holds are added to.")
  private @Nullable Path output;

  @Override
  public Integer call() throws InterruptedException {
    List<Assignment> folder =
        List.of(new Assignment("cdr.output_dir", String.valueOf(output), "--output"));
    switch (options.load(Role.EVENT_PLANE, folder)) {
      case ConfigResult.Refused refused -> {
        System.err.println(refused.report());
        return 1;
      }
      case ConfigResult.Loaded loaded -> {
        return replay(loaded.configuration());
      }
    }
  }

  private int replay(Configuration config) throws InterruptedException {
    try {
      Path folder = Files.createDirectories(config.cdr().outputDir());
      try (CdrWriter writer = CdrWriter.start(folder, config.cdr(), Clock.systemUTC())) {
        KafkaReplay.Outcome outcome =
            KafkaReplay.run(
                KafkaAccess.of(config.kafka()), config.kafka().topics().calls(), from, to, writer);
        System.out.printf(
            "%d records written to %s, %d repeats left out, %d events unreadable%n",
            writer.records(), folder, writer.duplicates(), outcome.unreadable());
      }
      return 0;
    } catch (IOException e) {
      System.err.println("sip-pbx: " + e.getMessage());
      return 1;
    }
  }
}
