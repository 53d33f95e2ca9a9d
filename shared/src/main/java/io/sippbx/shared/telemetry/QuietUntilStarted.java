package io.sippbx.shared.telemetry;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ConfiguratorRank;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.encoder.EncoderBase;
import ch.qos.logback.core.spi.ContextAwareBase;
import io.sippbx.shared.config.LoggingConfig;
import java.io.OutputStream;

/**
 * What Logback does before {@link Logging} is started: warnings to standard error. Without it,
 * everything down to DEBUG of every library would go to standard output, and configuration files
 * would be searched for at each start. Found by Logback as a service.
 */
@ConfiguratorRank(ConfiguratorRank.CUSTOM_HIGH_PRIORITY)
public final class QuietUntilStarted extends ContextAwareBase implements Configurator {

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    var encoder = new LineEncoder();
    encoder.setContext(context);
    encoder.start();
    var appender = new OutputStreamAppender<ILoggingEvent>();
    appender.setContext(context);
    appender.setName("start");
    appender.setEncoder(encoder);
    appender.setOutputStream(new StandardError());
    appender.start();
    var root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    root.setLevel(Level.WARN);
    root.addAppender(appender);
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  /** Standard error as it is at the time; not closed with the appender, for others write to it. */
  private static final class StandardError extends OutputStream {
    @Override
    public void write(int octet) {
      System.err.write(octet);
    }

    @Override
    public void write(byte[] octets, int offset, int length) {
      System.err.write(octets, offset, length);
    }

    @Override
    public void flush() {
      System.err.flush();
    }
  }

  private static final class LineEncoder extends EncoderBase<ILoggingEvent> {
    private final LogLines lines = new LogLines(LoggingConfig.Format.TEXT);

    @Override
    public byte[] headerBytes() {
      return new byte[0];
    }

    @Override
    public byte[] encode(ILoggingEvent event) {
      return lines.line(event);
    }

    @Override
    public byte[] footerBytes() {
      return new byte[0];
    }
  }
}
