package io.sippbx.system;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;

/** What sends and hears media beside a sipp that does the signalling. */
final class RtpPhone implements AutoCloseable {

  private static final int PAUSE_MS = 20;

  private final DatagramSocket socket;
  private final InetAddress address;
  private final int ssrc;
  private int number;

  private RtpPhone(DatagramSocket socket, InetAddress address, int ssrc) {
    this.socket = socket;
    this.address = address;
    this.ssrc = ssrc;
  }

  static RtpPhone at(String ip) throws IOException {
    InetAddress address = InetAddress.getByName(ip);
    int port = Ports.pair();
    var socket = new DatagramSocket(null);
    socket.bind(new InetSocketAddress(address, port));
    socket.setSoTimeout(PAUSE_MS);
    return new RtpPhone(socket, address, port);
  }

  int port() {
    return socket.getLocalPort();
  }

  /** Sends 20 ms of G.711 silence to a port of the relay. */
  void send(int relayPort) throws IOException {
    byte[] packet = new byte[12 + 160];
    Arrays.fill(packet, 12, packet.length, (byte) 0xFF);
    number++;
    ByteBuffer.wrap(packet)
        .put((byte) 0x80)
        .put((byte) 0)
        .putShort((short) number)
        .putInt(160 * number)
        .putInt(ssrc);
    socket.send(
        new DatagramPacket(packet, packet.length, new InetSocketAddress(address, relayPort)));
  }

  /** Whether a packet of the other one comes from this port, within a packet's time. */
  boolean hears(RtpPhone other, int relayPort) throws IOException {
    var packet = new DatagramPacket(new byte[2_000], 2_000);
    try {
      socket.receive(packet);
    } catch (SocketTimeoutException e) {
      return false;
    }
    return packet.getPort() == relayPort
        && ByteBuffer.wrap(packet.getData()).getInt(8) == other.ssrc;
  }

  /** Sends until the other one hears it through the relay. */
  void isHeardBy(RtpPhone other, int sendTo, int heardFrom) {
    Await.until(
        "media flows from port " + port() + " to " + other.port(),
        Duration.ofSeconds(10),
        () -> {
          send(sendTo);
          return other.hears(this, heardFrom);
        },
        heard -> heard);
  }

  @Override
  public void close() {
    socket.close();
  }
}
