package io.sippbx.control.registrar.binding;

import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.net.IpAddress;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** How a request gets to a contact. Decided when it is registered, from what was seen then. */
public enum Reach {
  /** By the proxies of its Path, as the route set (RFC 3327 5.1). */
  PATH,
  /**
   * Back over the flow that the registration came by: the contact is behind a NAT, or holds a
   * connection open to us. When that is gone, as {@link #CONTACT}, if the contact names the host
   * that was seen; else there is no way.
   */
  FLOW,
  /** To where the contact's URI points. */
  CONTACT;

  /**
   * The way to a contact.
   *
   * <p>A sender is behind a NAT if it came to us in one hop and the address that it wrote into its
   * Via is not the one that it was seen at. Then its contact is reached by the flow, unless the
   * contact names yet another host, which is somebody else's.
   *
   * @param vias of the REGISTER, topmost first
   */
  static Reach of(Uri contact, List<NameAddr> path, List<Via> vias, Flow flow) {
    if (!path.isEmpty()) {
      return PATH;
    }
    if (!(contact instanceof SipUri uri)
        || vias.size() != 1
        || uri.secure() && !flow.protocol().isSecure()) {
      return CONTACT;
    }
    // RFC 7118 5: a browser writes a name that cannot be resolved.
    if (uri.host().toLowerCase(Locale.ROOT).endsWith(".invalid")) {
      return FLOW;
    }
    IpAddress source = flow.remote().ip();
    Optional<IpAddress> contactIp = uri.hostIp();
    if (flow.protocol().isReliable() && contactIp.equals(Optional.of(source))) {
      return uri.secure() || sameTransport(uri, flow) ? FLOW : CONTACT;
    }
    Via via = vias.getFirst();
    boolean behindNat = via.hostIp().isPresent() && !via.hostIp().get().equals(source);
    boolean ofSender =
        contactIp.isPresent()
            && (contactIp.equals(via.hostIp()) || contactIp.equals(Optional.of(source)));
    return behindNat && ofSender ? FLOW : CONTACT;
  }

  private static boolean sameTransport(SipUri uri, Flow flow) {
    return uri.transport().map(flow.protocol()::equals).orElse(false);
  }
}
