package io.sippbx.control.cluster;

import io.sippbx.shared.net.Endpoint;
import java.util.Optional;

/**
 * What a control node tells the others of itself with its heartbeat.
 *
 * @param mesh where it is to be reached by the mesh; empty: not at all
 * @param sip how SIP reaches it, in a form that only {@code AddressMode} knows; empty: not told
 */
public record Announced(Optional<Endpoint> mesh, String sip) {

  /** What a node says that knows of no others. */
  public static final Announced NOTHING = new Announced(Optional.empty(), "");

  /** Longest text of addresses. */
  public static final int MAX_SIP = 1_024;

  /** Refuses a text that is too long for a heartbeat. */
  public Announced {
    if (sip.length() > MAX_SIP) {
      throw new IllegalArgumentException(
          "Expected addresses of " + MAX_SIP + " characters at most, but got " + sip.length());
    }
  }
}
