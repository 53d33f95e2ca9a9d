package io.sippbx.control.routing;

import io.sippbx.control.call.Target;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.registrar.ContactLookup;
import io.sippbx.control.registrar.ContactLookup.LookupAnswer;
import io.sippbx.control.registrar.ContactLookup.RegisteredContact;
import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.OwnDomains;
import io.sippbx.control.registrar.binding.Reach;
import io.sippbx.control.sip.locate.Location;
import io.sippbx.control.sip.locate.Locator;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Device;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Calls registered users: all contacts of one preference at the same time, the preferred ones first
 * (RFC 3261 16.6). Lives on one loop.
 */
public final class UserRouter implements Router {

  private final Loop loop;
  private final OwnDomains domains;
  private final ContactLookup contacts;
  private final Locator locator;

  /**
   * @param contacts answers on {@code loop}
   */
  public UserRouter(Loop loop, OwnDomains domains, ContactLookup contacts, Locator locator) {
    this.loop = loop;
    this.domains = domains;
    this.contacts = contacts;
    this.locator = locator;
  }

  @Override
  public void route(SipRequest invite, Consumer<Route> answer) {
    if (goesOnElsewhere(invite)) {
      loop.execute(() -> answer.accept(new Route.Refused(403)));
      return;
    }
    Optional<Aor> aor = domains.aorOf(invite.uri());
    if (aor.isEmpty()) {
      loop.execute(() -> answer.accept(new Route.Found(List.of())));
      return;
    }
    contacts.lookup(
        aor.get(),
        found -> {
          switch (found) {
            case LookupAnswer.Found registered ->
                new Locating(aor.get(), registered.contacts(), answer).next();
            case LookupAnswer.NotRegistered none -> answer.accept(new Route.Found(List.of()));
            case LookupAnswer.Unavailable unavailable ->
                answer.accept(new Route.Unavailable(unavailable.detail()));
          }
        });
  }

  /**
   * Over the flow of the registration. When the connection is gone, by a new one to the contact, if
   * that names the host that was seen; a phone behind a NAT cannot be connected to.
   */
  private static Destination over(Flow flow, SipUri contact) {
    IpAddress seen = flow.remote().ip();
    TransportProtocol protocol = contact.transport().orElse(flow.protocol());
    if (!flow.protocol().isReliable()
        || protocol != flow.protocol()
        || !contact.hostIp().equals(Optional.of(seen))) {
      return Destination.over(flow);
    }
    int port = contact.port().orElse(protocol.defaultPort());
    return Destination.to(protocol, new Endpoint(seen, port)).preferring(flow);
  }

  /**
   * Whether the caller wants the request to visit somebody else after us. The first Route is how it
   * came here, by whatever name of ours, and further ones may name us too; they are taken off,
   * since calls end at us. To follow another would make us an open relay, to leave it out would
   * call without who was to be asked.
   */
  private boolean goesOnElsewhere(SipRequest invite) {
    return invite.routes().stream()
        .skip(1)
        .anyMatch(route -> !(route.uri() instanceof SipUri uri && domains.own(uri.host())));
  }

  /** Finds the way to one contact after the other; one that has none is left out. */
  private final class Locating {
    private final Aor aor;
    private final List<RegisteredContact> all;
    private final Consumer<Route> answer;
    private final List<List<Target>> groups = new ArrayList<>();
    private int next;
    private int lastQ = -1;

    Locating(Aor aor, List<RegisteredContact> all, Consumer<Route> answer) {
      this.aor = aor;
      this.all = all;
      this.answer = answer;
    }

    void next() {
      while (next < all.size()) {
        RegisteredContact contact = all.get(next++);
        if (contact.binding().reach() == Reach.FLOW) {
          add(contact, List.of(over(contact.binding().flow(), contact.uri())));
          continue;
        }
        Uri hop =
            contact.binding().reach() == Reach.PATH
                ? contact.binding().path().getFirst().uri()
                : contact.uri();
        locator.locate(
            hop,
            loop,
            location -> {
              if (location instanceof Location.Found found) {
                add(contact, found.destinations());
              }
              next();
            });
        return;
      }
      answer.accept(new Route.Found(groups));
    }

    private void add(RegisteredContact contact, List<Destination> hops) {
      int q = contact.binding().qThousandths();
      if (q != lastQ) {
        groups.add(new ArrayList<>());
        lastQ = q;
      }
      // Over a path it is a proxy that is there.
      Optional<Device> device =
          contact.binding().reach() == Reach.PATH
              ? Optional.empty()
              : Optional.of(new Device(aor.user(), aor.host(), contact.binding().instance()));
      groups
          .getLast()
          .add(
              Target.located(
                  contact.uri(),
                  contact.binding().path(),
                  hops.stream().map(hop -> hop.of(device)).toList()));
    }
  }
}
