package io.sippbx.control.store;

/**
 * The identity of one commit, so that the same commit sent twice is applied once.
 *
 * @param value random, 64 bits
 */
public record CommitId(long value) {

  /** Sixteen hexadecimal digits. */
  @Override
  public String toString() {
    return String.format("%016x", value);
  }
}
