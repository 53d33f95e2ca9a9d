package io.sippbx.shared.config;

/**
 * A value that must not be read in a log, an error or a heap of debug output: it prints as {@code
 * [REDACTED]}.
 */
public record Secret<T>(T value) {

  /** What is printed in place of a secret. */
  static final String REDACTED = "[REDACTED]";

  @Override
  public String toString() {
    return REDACTED;
  }
}
