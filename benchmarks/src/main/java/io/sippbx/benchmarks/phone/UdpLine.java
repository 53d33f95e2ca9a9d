package io.sippbx.benchmarks.phone;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;

/** A phone that speaks UDP: one socket, from which it sends and at which it is called. */
final class UdpLine implements Line {

  private static final int LONGEST = 65_535;
  private static final ByteBuffer BUFFER = ByteBuffer.allocateDirect(LONGEST);

  private final DatagramChannel channel;
  private final InetSocketAddress edge;
  private final Listener listener;
  private final Address local;
  private int foreign;

  UdpLine(PhoneLoop loop, String ip, InetSocketAddress edge, Listener listener) throws IOException {
    this.edge = edge;
    this.listener = listener;
    channel = DatagramChannel.open();
    channel.bind(new InetSocketAddress(ip, 0));
    local = Address.of((InetSocketAddress) channel.getLocalAddress());
    loop.watch(channel, SelectionKey.OP_READ, key -> read());
  }

  private void read() throws IOException {
    for (int i = 0; i < 16; i++) {
      // The one thread of the loop has one buffer.
      BUFFER.clear();
      SocketAddress from = channel.receive(BUFFER);
      if (from == null) {
        return;
      }
      if (!from.equals(edge)) {
        // Shared-address mode promises that all nodes speak with one address.
        foreign++;
        continue;
      }
      BUFFER.flip();
      byte[] octets = new byte[BUFFER.remaining()];
      BUFFER.get(octets);
      if (octets.length > 4) {
        listener.heard(SipText.parse(octets), this::send);
      }
    }
  }

  @Override
  public void send(byte[] message) {
    try {
      channel.send(ByteBuffer.wrap(message), edge);
    } catch (IOException e) {
      // As good as lost on the way: it is repeated.
    }
  }

  /** How many datagrams came from another address than the edge's. */
  int foreign() {
    return foreign;
  }

  @Override
  public String via() {
    return "SIP/2.0/UDP " + local;
  }

  @Override
  public String contact() {
    return local.toString();
  }

  @Override
  public boolean isReliable() {
    return false;
  }

  @Override
  public int breaks() {
    return 0;
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // Nothing is left to be lost.
    }
  }
}
