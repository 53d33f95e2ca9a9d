package io.sippbx.shared.config;

import io.sippbx.shared.net.IpAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Section {@code media}.
 *
 * @param mode "bypass" is what there is: packets are relayed as they are
 * @param rtpTimeout silence after which a call is ended; empty: never
 * @param codecPriority encoding names in lower case, best first
 * @param addresses where a media node sends and receives RTP
 * @param nodes media nodes of a control node; empty: in the same process
 * @param listen where a media node is controlled
 */
public record MediaConfig(
    String mode,
    PortPool portPool,
    Optional<Duration> rtpTimeout,
    List<String> codecPriority,
    Addresses addresses,
    List<HostPort> nodes,
    HostPort listen,
    PacketLoop packetLoop,
    int threads,
    Sessions sessions) {

  /** Copies the lists. */
  public MediaConfig {
    codecPriority = List.copyOf(codecPriority);
    nodes = List.copyOf(nodes);
  }

  /** Which packet loop relays. */
  public enum PacketLoop {
    /** System calls where the platform has them, else Netty. */
    AUTO,
    URING,
    FFM,
    NETTY
  }

  /**
   * UDP ports for RTP (even) and RTCP (odd).
   *
   * @param start first port, inclusive
   * @param end last port, inclusive
   * @param rest how long a port that was closed is not lent again
   * @param allowEphemeralOverlap whether the range may overlap the kernel's ephemeral ports
   */
  public record PortPool(int start, int end, Duration rest, boolean allowEphemeralOverlap) {}

  /**
   * Addresses of a media node, by family.
   *
   * @param bind IPv4 address; empty: no IPv4
   * @param advertised what SDP carries in place of {@code bind}
   * @param bindV6 IPv6 address; empty: no IPv6
   * @param advertisedV6 what SDP carries in place of {@code bindV6}
   */
  public record Addresses(
      Optional<IpAddress> bind,
      Optional<IpAddress> advertised,
      Optional<IpAddress> bindV6,
      Optional<IpAddress> advertisedV6) {}

  /**
   * Limits of media sessions.
   *
   * @param max held at once by a media node
   * @param unconfirmedTimeout after which a session that no second Apply confirmed is ended
   * @param orphanTimeout without a packet, after which a session that nobody claims is ended
   * @param movesPerSecond calls that all control nodes together move to another media node
   */
  public record Sessions(
      int max, Duration unconfirmedTimeout, Duration orphanTimeout, int movesPerSecond) {}
}
