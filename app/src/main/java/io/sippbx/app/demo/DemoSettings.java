package io.sippbx.app.demo;

import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.shared.net.IpAddress;

/**
 * What is to be shown.
 *
 * @param seconds that the phones talk, hold not counted
 * @param protocol that the phones speak SIP over
 * @param v6 whether all addresses are IPv6
 * @param hold whether the caller puts the other side on hold in the middle
 * @param redis whether the state is kept in a Redis of its own, as a standalone does
 */
public record DemoSettings(
    int seconds, TransportProtocol protocol, boolean v6, boolean hold, boolean redis) {

  /** The longest talk. */
  public static final int MAX_SECONDS = 60;

  /** Refuses what is not offered. */
  public DemoSettings {
    if (seconds < 1 || seconds > MAX_SECONDS) {
      throw new IllegalArgumentException(
          "Expected 1 to " + MAX_SECONDS + " seconds, but got " + seconds);
    }
    if (protocol != TransportProtocol.UDP && protocol != TransportProtocol.TCP) {
      throw new IllegalArgumentException("Expected UDP or TCP, but got " + protocol);
    }
  }

  /** The loopback address that everything is on. */
  IpAddress ip() {
    return IpAddress.of(v6 ? "::1" : "127.0.0.1");
  }
}
