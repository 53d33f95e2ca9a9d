package io.sippbx.control.sip.locate;

import io.sippbx.control.sip.transport.Destination;
import java.util.List;

/** What is known about where a URI is served. */
public sealed interface Location {

  /**
   * Where to send, in the order to try: the next one when one fails or does not answer (RFC 3263
   * 4.3).
   *
   * @param destinations at least one
   */
  record Found(List<Destination> destinations) implements Location {
    /** Copies {@code destinations} and refuses an empty list. */
    public Found {
      destinations = List.copyOf(destinations);
      if (destinations.isEmpty()) {
        throw new IllegalArgumentException("Expected at least one destination, but got none");
      }
    }
  }

  /**
   * Nowhere.
   *
   * @param reason from a closed list, fit for a metric label
   * @param detail for a log line
   */
  record NotFound(Reason reason, String detail) implements Location {}

  /** Why there is nowhere to send to. */
  enum Reason {
    /** DNS has no such name, or no address for it that we have a listener for. */
    NO_SUCH_NAME,
    /** DNS says that the domain does not offer SIP (RFC 2782, a target of "."). */
    NO_SERVICE,
    /** DNS did not answer in time. */
    TIMEOUT,
    /** DNS answered with an error, or cannot be reached. */
    DNS_FAILED,
    /** Too many questions are open. */
    BUSY,
    /** TLS and WebSocket, which are not there yet; or a transport that there is no listener for. */
    TRANSPORT_NOT_SUPPORTED,
    /** No SIP URI. */
    SCHEME_NOT_SUPPORTED
  }
}
