package io.sippbx.shared.telemetry;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
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
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest(String.valueOf(value).getBytes(StandardCharsets.UTF_8));
      return "pii:" + HexFormat.of().formatHex(hash, 0, SHOWN_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
