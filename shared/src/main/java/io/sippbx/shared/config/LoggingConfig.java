package io.sippbx.shared.config;

/**
 * Section {@code logging}.
 *
 * @param output "stdout", "stderr" or the path of a file
 * @param queueLength lines that may wait for the output; above it lines are dropped and counted
 */
public record LoggingConfig(Level level, Format format, String output, int queueLength) {

  /** The least level that is logged. */
  public enum Level {
    TRACE,
    DEBUG,
    INFO,
    WARN,
    ERROR
  }

  /** How a line looks. */
  public enum Format {
    JSON,
    TEXT
  }
}
