package io.sippbx.media.port;

/**
 * Where all the pairs are. The four parts always add up to {@code total}.
 *
 * @param total pairs in the range, times addresses
 * @param lent in use by streams
 * @param resting given back a short while ago
 * @param setAside found to be held by another program a short while ago
 */
public record PortLedger(int total, int lent, int resting, int setAside) {

  /** Pairs that can be lent now. */
  public int free() {
    return total - lent - resting - setAside;
  }

  /** The sum of two ledgers. */
  public PortLedger plus(PortLedger other) {
    return new PortLedger(
        total + other.total, lent + other.lent, resting + other.resting, setAside + other.setAside);
  }
}
