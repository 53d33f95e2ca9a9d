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
 * @param hop the first hop, resolved
 */
public record Target(Uri uri, List<NameAddr> routes, Destination hop) {

  /** Copies {@code routes}. */
  public Target {
    routes = List.copyOf(routes);
  }
}
