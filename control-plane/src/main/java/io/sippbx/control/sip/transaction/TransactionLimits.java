package io.sippbx.control.sip.transaction;

import java.time.Duration;

/**
 * The limits of one {@link TransactionLayer}.
 *
 * @param clients client transactions open at once; a request above it fails with {@link
 *     Failure#LIMIT}
 * @param servers server transactions open at once; a request above it is {@link
 *     TransactionUser#refused}
 * @param reserve how many more of each there may be of BYE and CANCEL, since they end something
 * @param longestWait how long a transaction is kept in which no timer of RFC 3261 runs: an INVITE
 *     that rings, a request that the transaction user has not answered. Must be longer than any
 *     call may ring.
 */
public record TransactionLimits(int clients, int servers, int reserve, Duration longestWait) {

  /** 50,000 of each kind on a loop, 5,000 more for what ends something; 15 minutes. */
  public static final TransactionLimits DEFAULT =
      new TransactionLimits(50_000, 50_000, 5_000, Duration.ofMinutes(15));

  /** Refuses limits that would let nothing through. */
  public TransactionLimits {
    if (clients < 1 || servers < 1 || reserve < 0) {
      throw new IllegalArgumentException(
          "Expected room for at least one transaction of each kind and a reserve not below zero,"
              + " but got clients="
              + clients
              + " servers="
              + servers
              + " reserve="
              + reserve);
    }
    if (!longestWait.isPositive()) {
      throw new IllegalArgumentException("Expected a longest wait, but got " + longestWait);
    }
  }
}
