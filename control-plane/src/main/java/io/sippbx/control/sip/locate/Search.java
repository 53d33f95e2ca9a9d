package io.sippbx.control.sip.locate;

import io.sippbx.control.sip.locate.Dns.Data.Naptr;
import io.sippbx.control.sip.locate.Location.NotFound;
import io.sippbx.control.sip.locate.Location.Reason;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How a URI is to be looked up, by its form alone. Pure.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3263#section-4">RFC 3263 4.1, 4.2</a>
 */
sealed interface Search {

  /** There is nothing to look up. */
  record Done(Location location) implements Search {}

  /** The host has a port, or the URI names it for its address: addresses only. */
  record Addresses(String name, TransportProtocol transport, int port) implements Search {}

  /** The transport is given and the port is not: SRV, else addresses. */
  record Services(List<Service> services, Addresses otherwise) implements Search {}

  /** Neither is given: NAPTR, else SRV of every transport, else addresses. */
  record Everything(String name, Services otherwise) implements Search {}

  /** A name with SRV records for a transport. */
  record Service(TransportProtocol transport, String name) {}

  /** The search for a next hop. */
  static Search of(Uri nextHop, LocateSettings settings) {
    if (!(nextHop instanceof SipUri uri)) {
      return notFound(Reason.SCHEME_NOT_SUPPORTED, nextHop.scheme() + " URIs have no address");
    }
    if (uri.secure()) {
      return notFound(Reason.TRANSPORT_NOT_SUPPORTED, "sips needs TLS, which is not supported yet");
    }
    Optional<String> asked = uri.params().get("transport");
    Optional<TransportProtocol> transport = uri.transport();
    if (asked.isPresent()) {
      if (transport.isEmpty() || !settings.transports().contains(transport.get())) {
        return notFound(
            Reason.TRANSPORT_NOT_SUPPORTED, "transport " + asked.get() + " is not supported yet");
      }
    }
    // RFC 3263 4: the target is the maddr parameter if there is one, else the host.
    String target = uri.params().get("maddr").orElse(uri.host());
    Optional<IpAddress> ip = IpAddress.parse(target);
    // 4.1: without a transport parameter, UDP where an address or a port is given.
    TransportProtocol assumed =
        transport.orElse(
            settings.transports().contains(TransportProtocol.UDP)
                ? TransportProtocol.UDP
                : settings.transports().getFirst());
    int port = uri.port().orElse(assumed.defaultPort());
    if (port == 0) {
      return notFound(Reason.NO_SUCH_NAME, "port 0");
    }
    if (ip.isPresent()) {
      return settings.families().contains(AddressFamily.of(ip.get()))
          ? new Done(
              new Location.Found(List.of(Destination.to(assumed, new Endpoint(ip.get(), port)))))
          : notFound(
              Reason.TRANSPORT_NOT_SUPPORTED, "no listener of the address family of " + ip.get());
    }
    String name = canonical(target);
    if (name.isEmpty()) {
      return notFound(Reason.NO_SUCH_NAME, "an empty name");
    }
    var addresses = new Addresses(name, assumed, port);
    if (uri.port().isPresent() || isLocal(name)) {
      return addresses;
    }
    if (transport.isPresent()) {
      return new Services(List.of(service(transport.get(), name)), addresses);
    }
    var services = new ArrayList<Service>();
    for (TransportProtocol each : settings.transports()) {
      services.add(service(each, name));
    }
    return new Everything(name, new Services(List.copyOf(services), addresses));
  }

  /** The services among NAPTR records that are of use, in order; none if there are none. */
  static List<Service> services(List<Naptr> records, LocateSettings settings) {
    var sorted = new ArrayList<>(records);
    sorted.sort(Comparator.comparingInt(Naptr::order).thenComparingInt(Naptr::preference));
    var services = new ArrayList<Service>();
    int order = -1;
    for (Naptr record : sorted) {
      if (!services.isEmpty() && record.order() != order) {
        break;
      }
      Optional<TransportProtocol> transport = transport(record.service());
      if (transport.isPresent()
          && settings.transports().contains(transport.get())
          && record.flags().equalsIgnoreCase("s")
          && !record.replacement().isEmpty()) {
        services.add(new Service(transport.get(), canonical(record.replacement())));
        order = record.order();
      }
    }
    return List.copyOf(services);
  }

  /** RFC 6761 6.3: such names are loopback whatever DNS says. */
  static boolean isLocal(String name) {
    return name.equals("localhost") || name.endsWith(".localhost");
  }

  /** In lower case, without the dot at the end. */
  static String canonical(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
  }

  private static Service service(TransportProtocol transport, String name) {
    return new Service(transport, "_sip._" + transport.uriParameter() + "." + name);
  }

  private static Optional<TransportProtocol> transport(String service) {
    return switch (service.toUpperCase(Locale.ROOT)) {
      case "SIP+D2U" -> Optional.of(TransportProtocol.UDP);
      case "SIP+D2T" -> Optional.of(TransportProtocol.TCP);
      default -> Optional.empty();
    };
  }

  private static Search notFound(Reason reason, String detail) {
    return new Done(new NotFound(reason, detail));
  }
}
