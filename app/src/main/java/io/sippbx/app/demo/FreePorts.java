package io.sippbx.app.demo;

import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.media.port.EphemeralRangeCheck;
import io.sippbx.media.port.PortRange;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.nio.channels.DatagramChannel;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** Finds UDP ports for the media node that nobody has, and that the system gives to nobody else. */
final class FreePorts {

  /** Ports of a range: a call takes four, and a few may be taken from under us. */
  static final int PORTS = 32;

  private static final int LOWEST = 10_000;
  private static final int HIGHEST = 65_535;
  private static final int TRIES = 200;

  /**
   * A range.
   *
   * @param overlaps whether the system may give its ports to others, because it does so with all
   */
  record Found(PortRange range, boolean overlaps) {}

  private FreePorts() {}

  /** A range whose ports were all free a moment ago. */
  static Found find(IpAddress ip, EphemeralRangeCheck machine, RandomGenerator random)
      throws DemoFailure {
    Optional<PortRange> ephemeral = machine.ephemeral();
    Optional<Found> apart = search(ip, random, ephemeral);
    return apart
        .or(() -> search(ip, random, Optional.empty()))
        .orElseThrow(
            () ->
                new DemoFailure(
                    "no " + PORTS + " UDP ports in a row are free on " + ip + " for media"));
  }

  private static Optional<Found> search(
      IpAddress ip, RandomGenerator random, Optional<PortRange> avoid) {
    for (int i = 0; i < TRIES; i++) {
      int first = random.nextInt(LOWEST, HIGHEST - PORTS) & ~1;
      var range = new PortRange(first, first + PORTS - 1);
      if (avoid.filter(range::overlaps).isEmpty() && areFree(ip, range)) {
        return Optional.of(new Found(range, avoid.isEmpty()));
      }
    }
    return Optional.empty();
  }

  private static boolean areFree(IpAddress ip, PortRange range) {
    for (int port = range.first(); port <= range.last(); port++) {
      try (DatagramChannel channel =
          DatagramChannel.open(
              ip.isV6() ? StandardProtocolFamily.INET6 : StandardProtocolFamily.INET)) {
        channel.bind(NettyLoops.socketAddress(new Endpoint(ip, port)));
      } catch (IOException e) {
        return false;
      }
    }
    return true;
  }
}
