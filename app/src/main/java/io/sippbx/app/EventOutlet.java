package io.sippbx.app;

import io.sippbx.control.event.EventConsumer;
import io.sippbx.control.event.OutboxRelay;
import io.sippbx.event.EventTaker;
import io.sippbx.event.cdr.CdrFolder;
import io.sippbx.event.cdr.CdrWriter;
import io.sippbx.event.postgres.PostgresCdrs;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.telemetry.Metrics;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
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
  private static final EventTaker NOBODY =
      (event, done) -> {
        done.run();
        return true;
      };

  /** Consumers of this process as the outbox sees them. */
  private record Here(EventTaker taker) implements EventConsumer {
    @Override
    public boolean take(CallEvent event, Runnable done) {
      return taker.take(event, done);
    }

    @Override
    public boolean take(RegistrationEvent event, Runnable done) {
      return taker.take(event, done);
    }
  }

  /**
   * An event is done when both are done with it. Where the second has no room it comes again to
   * both, and the first knows it.
   */
  private record Both(EventTaker first, EventTaker second) implements EventTaker {
    @Override
    public boolean take(CallEvent event, Runnable done) {
      Runnable one = afterTwo(done);
      return first.take(event, one) && second.take(event, one);
    }

    @Override
    public boolean take(RegistrationEvent event, Runnable done) {
      Runnable one = afterTwo(done);
      return first.take(event, one) && second.take(event, one);
    }

    private static Runnable afterTwo(Runnable done) {
      var left = new AtomicInteger(2);
      return () -> {
        if (left.decrementAndGet() == 0) {
          done.run();
        }
      };
    }
  }

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
      return new EventOutlet(new Here(NOBODY), OutboxRelay.LAZY, Optional.empty(), () -> {});
    }
    CdrFolder folder =
        CdrFolder.choose(config.cdr(), Optional.of(config.standalone().dataDir().resolve("cdr")));
    folder
        .notice()
        .ifPresent(notice -> log.atWarn().addKeyValue("notice", notice).log("cdr.folder"));
    CdrWriter writer = CdrWriter.start(folder.path(), config.cdr(), Clock.systemUTC());
    writer.bind(metrics);
    Optional<String> address = Optional.of("cdr=" + folder.path());
    if (config.cdr().postgres().isEmpty()) {
      return new EventOutlet(new Here(writer), OutboxRelay.LAZY, address, writer::close);
    }
    PostgresCdrs database =
        PostgresCdrs.start(config.cdr().postgres().get(), config.cdr().queueLength());
    database.bind(metrics);
    return new EventOutlet(
        new Here(new Both(writer, database)),
        OutboxRelay.LAZY,
        address,
        () -> {
          writer.close();
          database.close();
        });
  }

  @Override
  public void close() {
    ending.run();
  }
}
