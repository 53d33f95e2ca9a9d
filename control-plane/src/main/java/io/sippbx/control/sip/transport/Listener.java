package io.sippbx.control.sip.transport;

import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.shared.net.Endpoint;
import java.util.Locale;
import java.util.Optional;

/**
 * An address to receive at.
 *
 * @param protocol UDP or TCP for now
 * @param bind the address to bind; an unspecified one ({@code 0.0.0.0}, {@code ::}) is all
 *     addresses of that family and of that family only; port 0 is any free one
 * @param advertised what peers are told in Via and Contact, of the same family as {@code bind};
 *     port 0 in it means the port that was bound. Without it, the bound address, or if that is
 *     unspecified the address of this host that {@link AdvertisedAddresses} finds
 */
public record Listener(TransportProtocol protocol, Endpoint bind, Optional<Endpoint> advertised) {

  /** Refuses what could not work, naming it. */
  public Listener {
    if (advertised.isPresent()) {
      Endpoint told = advertised.get();
      if (told.ip().isUnspecified()) {
        throw new IllegalArgumentException(
            "Expected an advertised address that peers can reach, but got " + told);
      }
      if (told.ip().isV6() != bind.ip().isV6()) {
        throw new IllegalArgumentException(
            "Expected an advertised address of the family of " + bind + ", but got " + told);
      }
    }
  }

  /** A listener that advertises what it is bound to, or what is found. */
  public static Listener on(TransportProtocol protocol, Endpoint bind) {
    return new Listener(protocol, bind, Optional.empty());
  }

  /**
   * For logs and errors: {@code udp 0.0.0.0:5060} or {@code udp 0.0.0.0:5060 as 192.0.2.1:5060}.
   */
  @Override
  public String toString() {
    String text = protocol.name().toLowerCase(Locale.ROOT) + " " + bind;
    return advertised.map(told -> text + " as " + told).orElse(text);
  }
}
