package io.sippbx.media;

import io.sippbx.media.control.ControlSettings;
import io.sippbx.media.port.EphemeralRangeCheck;
import io.sippbx.media.port.LocalAddress;
import io.sippbx.media.port.PortRange;
import io.sippbx.media.relay.RelaySettings;
import io.sippbx.media.session.SessionSettings;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.tls.NodeTls;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Everything that a media node is told at its start.
 *
 * @param listen where control nodes reach it
 * @param ports what RTP and RTCP may use
 * @param addresses at most one of each IP version
 * @param portRest how long a pair is not lent after use
 * @param portAside how long a pair that another program holds is left alone
 * @param ephemeralOverlapMeant the operator knows that {@code ports} overlap those that the system
 *     gives to outgoing connections
 */
public record MediaNodeSettings(
    NodeId id,
    Listen listen,
    PortRange ports,
    List<LocalAddress> addresses,
    Duration portRest,
    Duration portAside,
    boolean ephemeralOverlapMeant,
    SessionSettings sessions,
    ControlSettings control,
    RelaySettings relay) {

  /** See {@link #portRest}: longer than a packet or an unanswered BYE's first repeats live. */
  public static final Duration DEFAULT_PORT_REST = Duration.ofSeconds(5);

  /** See {@link #portAside}. */
  public static final Duration DEFAULT_PORT_ASIDE = Duration.ofSeconds(60);

  /** Copies {@code addresses}. */
  public MediaNodeSettings {
    addresses = List.copyOf(addresses);
  }

  /** A node with the default times and limits. */
  public static MediaNodeSettings of(
      NodeId id, Listen listen, PortRange ports, List<LocalAddress> addresses) {
    return new MediaNodeSettings(
        id,
        listen,
        ports,
        addresses,
        DEFAULT_PORT_REST,
        DEFAULT_PORT_ASIDE,
        false,
        SessionSettings.defaults(),
        ControlSettings.defaults(),
        RelaySettings.defaults());
  }

  /** The same with other times and limits of sessions. */
  public MediaNodeSettings withSessions(SessionSettings other) {
    return new MediaNodeSettings(
        id,
        listen,
        ports,
        addresses,
        portRest,
        portAside,
        ephemeralOverlapMeant,
        other,
        control,
        relay);
  }

  /** The same with other times and limits of the service. */
  public MediaNodeSettings withControl(ControlSettings other) {
    return new MediaNodeSettings(
        id,
        listen,
        ports,
        addresses,
        portRest,
        portAside,
        ephemeralOverlapMeant,
        sessions,
        other,
        relay);
  }

  /** The same with another relay. */
  public MediaNodeSettings withRelay(RelaySettings other) {
    return new MediaNodeSettings(
        id,
        listen,
        ports,
        addresses,
        portRest,
        portAside,
        ephemeralOverlapMeant,
        sessions,
        control,
        other);
  }

  /** The same with another time of rest. */
  public MediaNodeSettings withPortRest(Duration other) {
    return new MediaNodeSettings(
        id,
        listen,
        ports,
        addresses,
        other,
        portAside,
        ephemeralOverlapMeant,
        sessions,
        control,
        relay);
  }

  /** The same, where an overlap with the system's range of ports is meant, or is not. */
  public MediaNodeSettings withEphemeralOverlapMeant(boolean meant) {
    return new MediaNodeSettings(
        id, listen, ports, addresses, portRest, portAside, meant, sessions, control, relay);
  }

  /** Why a node cannot start with this on the machine that is checked; empty if it can. */
  public List<String> problems(EphemeralRangeCheck machine) {
    return ephemeralOverlapMeant ? List.of() : machine.problem(ports).stream().toList();
  }

  /** Where control nodes reach the node. */
  public sealed interface Listen {

    /**
     * Over the network; port 0 is any free one.
     *
     * @param tls empty: in the clear
     */
    record Network(Endpoint bind, Optional<NodeTls> tls) implements Listen {}

    /** From within this process only. */
    record InProcess(String name) implements Listen {}
  }
}
