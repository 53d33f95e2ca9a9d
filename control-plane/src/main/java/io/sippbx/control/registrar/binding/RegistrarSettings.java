package io.sippbx.control.registrar.binding;

import java.time.Duration;

/**
 * What the registrar grants.
 *
 * @param minExpires shorter is refused with 423, unless it is an hour or more (RFC 3261 10.3 step
 *     7)
 * @param defaultExpires for a contact that does not say
 * @param maxExpires longer is cut to this
 * @param maxBindings of one address-of-record; a request that would make more is refused with 403
 */
public record RegistrarSettings(
    Duration minExpires, Duration defaultExpires, Duration maxExpires, int maxBindings) {

  /** 60 s, 1 h, 24 h and 10 bindings. */
  public static final RegistrarSettings DEFAULT =
      new RegistrarSettings(Duration.ofSeconds(60), Duration.ofHours(1), Duration.ofHours(24), 10);

  /** Refuses what cannot work. */
  public RegistrarSettings {
    if (minExpires.compareTo(Duration.ofSeconds(1)) < 0) {
      throw new IllegalArgumentException(
          "Expected a least expiry of 1 s or more, but got " + minExpires);
    }
    if (defaultExpires.compareTo(minExpires) < 0 || defaultExpires.compareTo(maxExpires) > 0) {
      throw new IllegalArgumentException(
          "Expected a default expiry from "
              + minExpires
              + " to "
              + maxExpires
              + ", but got "
              + defaultExpires);
    }
    if (maxExpires.compareTo(Duration.ofDays(365)) > 0) {
      throw new IllegalArgumentException(
          "Expected a greatest expiry of 365 days or less, but got " + maxExpires);
    }
    if (maxBindings < 1) {
      throw new IllegalArgumentException("Expected 1 binding or more, but got " + maxBindings);
    }
  }
}
