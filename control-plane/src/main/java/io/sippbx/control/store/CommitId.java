package io.sippbx.control.store;

import java.util.HexFormat;

/**
 * The identity of one commit, so that the same commit sent twice is applied once.
 *
 * @param value random, 64 bits
 */
public record CommitId(long value) {

  /** Sixteen hexadecimal digits. */
  @Override
  public String toString() {
    return HexFormat.of().toHexDigits(value);
  }
}
