package io.sippbx.control.routing;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.locate.Location;
import io.sippbx.control.sip.locate.Locator;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Where the next request within a dialog goes, told from the message that made or refreshed it.
 * Lives on one loop.
 */
public final class NextHops {

  private final Locator locator;
  private final Loop loop;

  /** For messages handled on {@code loop}. */
  public NextHops(Locator locator, Loop loop) {
    this.locator = locator;
    this.loop = loop;
  }

  /**
   * The next hop towards who sent {@code message}: its first or last Record-Route (the nearest to
   * us in both cases), else its Contact. A Contact with an address that is not the one which the
   * message came from is behind a NAT: then the flow is the way back, as it is for connections. An
   * address is answered at once, inline; a name is looked up, and the flow stands in where it is
   * not found.
   */
  public void of(SipMessage message, Flow flow, boolean isRequest, Consumer<Destination> answer) {
    List<NameAddr> routes = message.recordRoutes();
    Optional<Uri> next =
        routes.isEmpty()
            ? message.contacts().stream().findFirst().map(NameAddr::uri)
            : Optional.of((isRequest ? routes.getFirst() : routes.getLast()).uri());
    if (next.isEmpty() || !(next.get() instanceof SipUri uri)) {
      answer.accept(Destination.over(flow));
      return;
    }
    Optional<IpAddress> ip = uri.hostIp();
    if (ip.isPresent()) {
      answer.accept(direct(uri, ip.get(), flow, !routes.isEmpty()));
      return;
    }
    locator.locate(
        uri,
        loop,
        location ->
            answer.accept(
                switch (location) {
                  case Location.Found found -> withFlow(found.destinations().getFirst(), flow);
                  case Location.NotFound none -> Destination.over(flow);
                }));
  }

  private static Destination direct(SipUri uri, IpAddress ip, Flow flow, boolean isRoute) {
    if (!isRoute && !ip.equals(flow.remote().ip())) {
      return Destination.over(flow);
    }
    TransportProtocol protocol =
        uri.transport().orElse(isRoute ? TransportProtocol.UDP : flow.protocol());
    int port = uri.port().orElse(protocol.defaultPort());
    if (port == 0) {
      return Destination.over(flow);
    }
    return withFlow(Destination.to(protocol, new Endpoint(ip, port)), flow);
  }

  /** Over the connection that the message came by, if it is one to that host. */
  private static Destination withFlow(Destination to, Flow flow) {
    boolean same =
        flow.protocol() == to.protocol()
            && flow.protocol().isReliable()
            && flow.remote().ip().equals(to.remote().ip());
    return same ? to.preferring(flow) : to;
  }
}
