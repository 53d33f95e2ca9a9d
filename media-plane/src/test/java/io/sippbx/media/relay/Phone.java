package io.sippbx.media.relay;

import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.util.Arrays;

/** A UDP socket on loopback that plays one end of a stream. */
final class Phone implements AutoCloseable {

  private static final int PATIENCE_MS = 10_000;

  private final DatagramSocket socket;
  private final Endpoint local;
  private Endpoint lastSource = Endpoint.of("0.0.0.0", 0);

  private Phone(String ip, int port) {
    try {
      var address = new InetSocketAddress(InetAddress.getByName(ip), port);
      socket = new DatagramSocket(address);
      socket.setSoTimeout(PATIENCE_MS);
      socket.setReceiveBufferSize(1 << 20);
      local = new Endpoint(IpAddress.of(ip), socket.getLocalPort());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Phone on(String ip) {
    return new Phone(ip, 0);
  }

  static Phone at(Endpoint endpoint) {
    return new Phone(endpoint.ip().toString(), endpoint.port());
  }

  Endpoint local() {
    return local;
  }

  void send(byte[] datagram, Endpoint to) {
    try {
      socket.send(
          new DatagramPacket(
              datagram, datagram.length, InetAddress.getByName(to.ip().toString()), to.port()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The next datagram; fails when none comes. */
  byte[] receive() {
    var packet = new DatagramPacket(new byte[65_536], 65_536);
    try {
      socket.receive(packet);
    } catch (SocketTimeoutException e) {
      throw new AssertionError("Nothing came to " + local, e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    lastSource =
        new Endpoint(IpAddress.ofOctets(packet.getAddress().getAddress()), packet.getPort());
    return Arrays.copyOf(packet.getData(), packet.getLength());
  }

  /** Where the last datagram came from. */
  Endpoint lastSource() {
    return lastSource;
  }

  @Override
  public void close() {
    socket.close();
  }
}
