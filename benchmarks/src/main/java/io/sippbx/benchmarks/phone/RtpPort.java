package io.sippbx.benchmarks.phone;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/**
 * The media of one phone: sends 20 ms of G.711 each 20 ms, and measures what it hears by sequence
 * numbers and times of arrival. Loop only.
 */
final class RtpPort {

  private static final long PACKET_NS = 20_000_000;
  private static final int SAMPLES = 160;
  private static final int HEADER = 12;
  private static final ByteBuffer IN = ByteBuffer.allocateDirect(2_048);

  private final PhoneLoop loop;
  private final DatagramChannel channel;
  private final ByteBuffer out = ByteBuffer.allocateDirect(HEADER + SAMPLES);
  private final Address local;
  private final int ssrc;
  private @Nullable InetSocketAddress remote;
  private int number;
  private boolean sending;
  private boolean closed;
  private long dueNs;

  private long heard;
  private long lastNs;
  private long longestGapNs;
  private int lastNumber = -1;
  private long missing;
  private long reordered;

  RtpPort(PhoneLoop loop, String ip, int ssrc) throws IOException {
    this.loop = loop;
    this.ssrc = ssrc;
    channel = DatagramChannel.open();
    channel.bind(new InetSocketAddress(ip, 0));
    local = Address.of((InetSocketAddress) channel.getLocalAddress());
    loop.watch(channel, SelectionKey.OP_READ, key -> read());
    for (int i = HEADER; i < out.capacity(); i++) {
      out.put(i, (byte) 0xFF);
    }
    out.put(0, (byte) 0x80).put(1, (byte) 0).putInt(8, ssrc);
  }

  /** Sends there from now on. */
  void sendTo(SipText.MediaAddress to) {
    remote = new InetSocketAddress(to.ip(), to.port());
    if (!sending && !closed) {
      sending = true;
      dueNs = System.nanoTime();
      send();
    }
  }

  private void send() {
    if (closed) {
      return;
    }
    number++;
    out.putShort(2, (short) number).putInt(4, SAMPLES * number);
    out.clear();
    try {
      channel.send(out, remote);
    } catch (IOException e) {
      // Nobody is there now; the next packet tries again.
    }
    dueNs += PACKET_NS;
    long nowNs = System.nanoTime();
    if (dueNs - nowNs < -5 * PACKET_NS) {
      // This machine stood still: no burst is sent to make up for it.
      dueNs = nowNs + PACKET_NS;
    }
    loop.at(dueNs, this::send);
  }

  private void read() throws IOException {
    for (int i = 0; i < 8; i++) {
      IN.clear();
      if (channel.receive(IN) == null) {
        return;
      }
      if (IN.position() >= HEADER && IN.getInt(8) != ssrc) {
        arrived(IN.getShort(2) & 0xFFFF);
      }
    }
  }

  private void arrived(int sequence) {
    long nowNs = System.nanoTime();
    if (heard > 0) {
      longestGapNs = Math.max(longestGapNs, nowNs - lastNs);
      int step = (short) (sequence - lastNumber);
      if (step > 1) {
        missing += step - 1;
      } else if (step < 1) {
        reordered++;
      }
    }
    heard++;
    lastNs = nowNs;
    lastNumber = sequence;
  }

  /** How many packets were heard. */
  long heard() {
    return heard;
  }

  /** How many were sent and not heard, as far as the sequence numbers tell. */
  long missing() {
    return Math.max(0, missing - reordered);
  }

  /** Begins to measure anew; the gap that is open now counts from its start. */
  void measure() {
    longestGapNs = 0;
    missing = 0;
    reordered = 0;
  }

  /** The longest silence since {@link #measure}, up to now; 0 if nothing was ever heard. */
  long longestGapNs() {
    return heard == 0 ? 0 : Math.max(longestGapNs, System.nanoTime() - lastNs);
  }

  Address local() {
    return local;
  }

  void close() {
    closed = true;
    try {
      channel.close();
    } catch (IOException e) {
      // Nothing is left to be lost.
    }
  }
}
