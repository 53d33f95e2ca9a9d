package io.sippbx.shared.telemetry;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.jul.LevelChangePropagator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import io.sippbx.shared.config.LoggingConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/**
 * The log of the process, set up in code: one line an event, from a bounded queue, written by one
 * thread. A full queue drops the line and counts it; nobody waits for a terminal or a disk.
 */
public final class Logging implements AutoCloseable {

  private static final String OURS = "io.sippbx";
  private static final long MAX_QUEUED_BYTES = 64L << 20;

  /**
   * Each client warns of each attempt to connect, several a second while brokers are away; what
   * comes of that is logged by who needs them, within bounds.
   */
  private static final String KAFKA_CONNECTIONS = "org.apache.kafka.clients.NetworkClient";

  /**
   * At the end of a process loops end beside connections whose closing they were to tell of: nobody
   * is there any more to hear it.
   */
  private static final String TOLD_TO_LOOPS_THAT_ENDED =
      "io.netty.util.concurrent.DefaultPromise.rejectedExecution";

  private final LoggerContext context;
  private final BoundedWriter writer;

  private Logging(LoggerContext context, BoundedWriter writer) {
    this.context = context;
    this.writer = writer;
  }

  /**
   * Takes the log of this process over. Once a process; the caller closes it as the last thing.
   *
   * @throws IOException if the configured file cannot be opened; the message names the key
   */
  public static Logging start(LoggingConfig config) throws IOException {
    return start(config, output(config));
  }

  static Logging start(LoggingConfig config, Output output) {
    var context = (LoggerContext) LoggerFactory.getILoggerFactory();
    var writer = new BoundedWriter("log-writer", output, config.queueLength(), MAX_QUEUED_BYTES);
    context.reset();
    bridgeJavaLogging(context);
    var appender = new QueueAppender(new LogLines(config.format()), writer);
    appender.setContext(context);
    appender.setName("queue");
    appender.start();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    root.addAppender(appender);
    Level level = Level.toLevel(config.level().name());
    root.setLevel(level.isGreaterOrEqual(Level.WARN) ? level : Level.WARN);
    context.getLogger(OURS).setLevel(level);
    context.getLogger(KAFKA_CONNECTIONS).setLevel(Level.ERROR);
    context.getLogger(TOLD_TO_LOOPS_THAT_ENDED).setLevel(Level.OFF);
    return new Logging(context, writer);
  }

  /** What gRPC and the JDK log by {@code java.util.logging} comes to this log, too. */
  private static void bridgeJavaLogging(LoggerContext context) {
    // Levels go there, so that what nobody wants to hear is not even made.
    var levels = new LevelChangePropagator();
    levels.setContext(context);
    levels.setResetJUL(true);
    levels.start();
    context.addListener(levels);
    if (!SLF4JBridgeHandler.isInstalled()) {
      SLF4JBridgeHandler.removeHandlersForRootLogger();
      SLF4JBridgeHandler.install();
    }
  }

  private static Output output(LoggingConfig config) throws IOException {
    return switch (config.output()) {
      case "stdout" -> StreamOutput.standardOutput();
      case "stderr" -> StreamOutput.standardError();
      default -> {
        try {
          yield FileOutput.growing(Path.of(config.output()));
        } catch (IOException e) {
          throw new IOException(
              "logging.output = " + config.output() + ": expected a file that can be written", e);
        }
      }
    };
  }

  /** Lines that did not fit into the queue. */
  public long dropped() {
    return writer.dropped();
  }

  /** Lines that were taken and could not be written. */
  public long failed() {
    return writer.failed();
  }

  /** Lines written. */
  public long written() {
    return writer.written();
  }

  /** Lines that wait. */
  public int depth() {
    return writer.depth();
  }

  /** The most lines that have waited. */
  public long highMark() {
    return writer.highMark();
  }

  /** Writes what waits, for five seconds at most; what is logged afterwards goes nowhere. */
  @Override
  public void close() {
    close(Duration.ofSeconds(5));
  }

  /** As {@link #close()} with another limit. */
  public void close(Duration limit) {
    context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).detachAndStopAllAppenders();
    writer.close(limit);
  }

  /** Makes the line on the caller's thread, where what it tells of cannot change meanwhile. */
  private static final class QueueAppender extends UnsynchronizedAppenderBase<ILoggingEvent> {
    private final LogLines lines;
    private final BoundedWriter writer;

    QueueAppender(LogLines lines, BoundedWriter writer) {
      this.lines = lines;
      this.writer = writer;
    }

    @Override
    protected void append(ILoggingEvent event) {
      writer.offer(lines.line(event));
    }
  }
}
