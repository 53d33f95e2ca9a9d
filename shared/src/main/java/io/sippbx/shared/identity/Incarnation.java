package io.sippbx.shared.identity;

import java.util.HexFormat;

/**
 * One start of a node. Two starts of the same node have different values.
 *
 * @param value random; compared for equality only
 */
public record Incarnation(long value) {

  /** Sixteen hexadecimal digits. */
  @Override
  public String toString() {
    return HexFormat.of().toHexDigits(value);
  }
}
