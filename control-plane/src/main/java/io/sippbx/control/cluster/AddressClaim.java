package io.sippbx.control.cluster;

import io.sippbx.control.sip.transport.Listener;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How SIP reaches a node, as it tells the others with its heartbeat, and whether two can be so at
 * once: nodes that share addresses must share all of them, and those that do not must not have one
 * in common.
 *
 * <p>The text is {@code shared} or {@code node}, and each advertised address as {@code
 * udp=192.0.2.1:5060}, with spaces between, in the order of the text.
 */
public record AddressClaim(boolean shared, List<String> addresses) {

  private static final String SHARED = "shared";
  private static final String NODE = "node";
  private static final String KEY = "sip.address_mode";

  /** Copies and sorts the addresses. */
  public AddressClaim {
    addresses = addresses.stream().sorted().toList();
  }

  /** Of these listeners, which are bound. */
  public static AddressClaim of(boolean shared, List<Listener> listeners) {
    var addresses = new ArrayList<String>();
    for (Listener each : listeners) {
      each.advertised()
          .ifPresent(
              told -> addresses.add(each.protocol().name().toLowerCase(Locale.ROOT) + "=" + told));
    }
    return new AddressClaim(shared, addresses);
  }

  /** What another node tells; empty if it tells nothing, or something that is not known here. */
  public static Optional<AddressClaim> parse(String text) {
    List<String> words = List.of(text.split(" "));
    return switch (words.getFirst()) {
      case SHARED -> Optional.of(new AddressClaim(true, words.subList(1, words.size())));
      case NODE -> Optional.of(new AddressClaim(false, words.subList(1, words.size())));
      default -> Optional.empty();
    };
  }

  /** The addresses themselves. */
  public List<Endpoint> endpoints() {
    return addresses.stream()
        .flatMap(each -> Endpoint.parse(each.substring(each.indexOf('=') + 1)).stream())
        .toList();
  }

  /** For the heartbeat: cut where it would be too long. */
  public String text() {
    var text = new StringBuilder(shared ? SHARED : NODE);
    for (String each : addresses) {
      if (text.length() + 1 + each.length() > Announced.MAX_SIP) {
        break;
      }
      text.append(' ').append(each);
    }
    return text.toString();
  }

  /**
   * Why this node cannot serve beside another.
   *
   * @param theirs what the other node tells
   */
  public Optional<String> conflict(NodeId other, AddressClaim theirs) {
    if (shared != theirs.shared) {
      return Optional.of(
          KEY
              + " = "
              + (shared ? SHARED : NODE)
              + ": expected the same on all nodes of the cluster, but "
              + other
              + " has "
              + (theirs.shared ? SHARED : NODE));
    }
    if (shared) {
      return addresses.equals(theirs.addresses)
          ? Optional.empty()
          : Optional.of(
              KEY
                  + " = shared: expected the addresses of "
                  + other
                  + ", which are "
                  + String.join(" ", theirs.addresses)
                  + ", but this node advertises "
                  + String.join(" ", addresses));
    }
    return addresses.stream()
        .filter(theirs.addresses::contains)
        .findFirst()
        .map(
            both ->
                KEY
                    + " = node: expected addresses of this node's own, but "
                    + other
                    + " advertises "
                    + both
                    + " too: set sip.advertised_ip or sip.listen_port, or "
                    + KEY
                    + ": shared on all nodes if they are meant to share it");
  }
}
