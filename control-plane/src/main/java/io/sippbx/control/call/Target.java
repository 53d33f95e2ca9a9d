package io.sippbx.control.call;

import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transport.Destination;
import java.util.List;

/**
 * Where a call may be sent to.
 *
 * @param uri the Request-URI
 * @param routes preloaded routes, from the binding's Path (RFC 3327)
 * @param hops where the first hop is served, in the order to try: the next one when one fails or
 *     does not answer (RFC 3263 4.3)
 */
public record Target(Uri uri, List<NameAddr> routes, List<Destination> hops) {

  /** Destinations that are tried for one target at most. */
  public static final int MAX_HOPS = 5;

  /** Copies the lists; refuses a target without a hop, and one with too many. */
  public Target {
    routes = List.copyOf(routes);
    hops = List.copyOf(hops);
    if (hops.isEmpty() || hops.size() > MAX_HOPS) {
      throw new IllegalArgumentException(
          "Expected 1 to " + MAX_HOPS + " hops for a target, but got " + hops.size());
    }
  }

  /** A target whose first hop was located here: what is above the limit is not tried. */
  public static Target located(Uri uri, List<NameAddr> routes, List<Destination> hops) {
    return new Target(uri, routes, hops.subList(0, Math.min(hops.size(), MAX_HOPS)));
  }

  /** The destination that is tried first. */
  public Destination hop() {
    return hops.getFirst();
  }
}
