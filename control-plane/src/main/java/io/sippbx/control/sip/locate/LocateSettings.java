package io.sippbx.control.sip.locate;

import io.sippbx.control.sip.message.TransportProtocol;
import java.time.Duration;
import java.util.List;

/**
 * What can be reached, and the bounds of looking it up.
 *
 * @param transports that there are listeners for, in the order of preference where the peer has
 *     none
 * @param families that there are listeners for, in the order to try
 * @param timeout until a question to the locator is answered whatever DNS does
 * @param destinations of one answer at most; the rest is not tried
 * @param cacheEntries answers of DNS that are kept; the one used longest ago is forgotten
 * @param minLifetime for which an answer is kept at least, and a negative one
 * @param maxLifetime for which an answer is kept at most
 * @param openQuestions to DNS at a time, and those who wait for each; more are refused
 */
public record LocateSettings(
    List<TransportProtocol> transports,
    List<AddressFamily> families,
    Duration timeout,
    int destinations,
    int cacheEntries,
    Duration minLifetime,
    Duration maxLifetime,
    int openQuestions) {

  /** Copies the lists and refuses what could not work. */
  public LocateSettings {
    transports = List.copyOf(transports);
    families = List.copyOf(families);
    if (transports.isEmpty() || families.isEmpty()) {
      throw new IllegalArgumentException(
          "Expected a transport and an address family, but got " + transports + families);
    }
    if (timeout.isNegative() || timeout.isZero()) {
      throw new IllegalArgumentException("Expected a positive timeout, but got " + timeout);
    }
    if (destinations < 1 || cacheEntries < 1 || openQuestions < 1) {
      throw new IllegalArgumentException(
          "Expected limits of 1 or more, but got "
              + List.of(destinations, cacheEntries, openQuestions));
    }
    if (minLifetime.isNegative() || maxLifetime.compareTo(minLifetime) < 0) {
      throw new IllegalArgumentException(
          "Expected lifetimes in order, but got " + minLifetime + " and " + maxLifetime);
    }
  }

  /** These transports and families; 4 s, 16 destinations, 10,000 answers for 5 s to 1 h. */
  public static LocateSettings of(
      List<TransportProtocol> transports, List<AddressFamily> families) {
    return new LocateSettings(
        transports,
        families,
        Duration.ofSeconds(4),
        16,
        10_000,
        Duration.ofSeconds(5),
        Duration.ofHours(1),
        1_024);
  }

  /** The same with another time-out. */
  public LocateSettings withTimeout(Duration other) {
    return new LocateSettings(
        transports,
        families,
        other,
        destinations,
        cacheEntries,
        minLifetime,
        maxLifetime,
        openQuestions);
  }

  /** The same with other bounds. */
  public LocateSettings withBounds(int otherDestinations, int otherEntries, int otherOpen) {
    return new LocateSettings(
        transports,
        families,
        timeout,
        otherDestinations,
        otherEntries,
        minLifetime,
        maxLifetime,
        otherOpen);
  }
}
