package io.sippbx.shared.telemetry;

import io.sippbx.shared.identity.Sha256;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * Something that belongs to a person: a number, a URI, an address. It prints as a short hash, the
 * same on every node, so that a log can be followed without being a list of who called whom.
 *
 * <p>The hash keeps values out of sight, not out of reach: who has a list of all numbers can hash
 * them all.
 */
public record Pii<T>(T value) {

  private static final int SHOWN_BYTES = 5;

  /** {@code pii:} and ten hexadecimal digits of SHA-256 over the text of the value. */
  @Override
  public String toString() {
    byte[] hash = Sha256.of(String.valueOf(value).getBytes(StandardCharsets.UTF_8));
    return "pii:" + HexFormat.of().formatHex(hash, 0, SHOWN_BYTES);
  }
}
