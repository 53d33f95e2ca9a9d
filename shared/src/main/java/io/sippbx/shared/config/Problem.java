package io.sippbx.shared.config;

/**
 * Something wrong with the configuration.
 *
 * @param key with dots, as in {@code media.port_pool.start}
 * @param value as it was written; {@code [REDACTED]} for a secret; empty where there is none
 * @param expectation what should have been there, as the end of "expected ..."
 */
public record Problem(String key, String value, String expectation, Origin origin) {

  /** One line for a human. */
  @Override
  public String toString() {
    return key + (value.isEmpty() ? "" : " = " + value) + ": " + expectation + " (" + origin + ")";
  }
}
