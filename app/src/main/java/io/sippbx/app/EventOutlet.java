package io.sippbx.app;

import io.sippbx.control.event.EventConsumer;
import io.sippbx.control.event.OutboxRelay;
import io.sippbx.event.cdr.CdrFolder;
import io.sippbx.event.cdr.CdrWriter;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.telemetry.Metrics;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a node that takes calls hands its events: to Kafka where there is one, else to consumers in
 * the same process.
 *
 * @param pause for which events other than ends may wait for more of them
 * @param address for the banner
 * @param ending lets go what was opened
 */
record EventOutlet(
    EventConsumer consumer, Duration pause, Optional<String> address, Runnable ending)
    implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(EventOutlet.class);

  /** For a process that makes nothing of its events: nobody else waits for them. */
  private static final EventConsumer NONE =
      (event, done) -> {
        done.run();
        return true;
      };

  /**
   * Opens it.
   *
   * @throws IOException if a file or folder that is configured is of no use; names the key
   * @throws NodeStartException if Kafka is there and a topic is not; names the key
   */
  static EventOutlet open(Configuration config, Metrics metrics)
      throws IOException, NodeStartException, InterruptedException {
    return config.kafka().isUsed()
        ? KafkaOutlet.open(config.kafka(), metrics)
        : consumers(config, metrics);
  }

  private static EventOutlet consumers(Configuration config, Metrics metrics) throws IOException {
    if (!config.cdr().enabled()) {
      return new EventOutlet(NONE, OutboxRelay.LAZY, Optional.empty(), () -> {});
    }
    CdrFolder folder =
        CdrFolder.choose(config.cdr(), Optional.of(config.standalone().dataDir().resolve("cdr")));
    folder
        .notice()
        .ifPresent(notice -> log.atWarn().addKeyValue("notice", notice).log("cdr.folder"));
    CdrWriter writer = CdrWriter.start(folder.path(), config.cdr(), Clock.systemUTC());
    writer.bind(metrics);
    return new EventOutlet(
        writer::take, OutboxRelay.LAZY, Optional.of("cdr=" + folder.path()), writer::close);
  }

  @Override
  public void close() {
    ending.run();
  }
}
