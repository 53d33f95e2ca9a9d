package io.sippbx.app.demo;

import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A phone's end of the media: a pair of UDP ports, and one thread that sends a packet of its tone
 * every 20 ms while it is told where to, and listens all the time. Methods from any thread.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3551#section-4.5.14">RFC 3551 4.5.14</a>
 */
final class RtpEndpoint implements AutoCloseable {

  /** From one packet to the next. */
  static final Duration PACKET_TIME = Duration.ofMillis(20);

  /** Packets that one side sends in a second. */
  static final int PACKETS_PER_SECOND = 50;

  private static final int SAMPLES = MuLaw.SAMPLES_PER_SECOND / PACKETS_PER_SECOND;
  private static final int HEADER = 12;
  private static final int MAX_DATAGRAM = 2_048;
  private static final int PORT_PAIR_TRIES = 100;
  private static final long NS_PER_MS = 1_000_000;
  // After a longer stall the packets that are due are left out, as a phone's sound card does.
  private static final long LONGEST_BURST_NS = 200 * NS_PER_MS;
  private static final long IDLE_MS = 200;
  private static final Duration THREAD_ENDS_WITHIN = Duration.ofSeconds(2);

  private final Tone tone;
  private final DatagramChannel rtp;
  private final DatagramChannel rtcp;
  private final Selector selector;
  private final Endpoint local;
  private final Reception reception;
  private final Thread thread;
  private final ByteBuffer in = ByteBuffer.allocate(MAX_DATAGRAM);
  private final byte[] out = new byte[HEADER + SAMPLES];
  private final int ssrc;
  private final int firstTimestamp;
  private final int firstSequence;
  private long sample;

  private volatile @Nullable InetSocketAddress target;
  private final AtomicInteger sent = new AtomicInteger();
  private volatile boolean closed;
  private volatile @Nullable String fault;

  private RtpEndpoint(
      String name, IpAddress ip, Pair pair, Tone tone, Tone theirs, SecureRandom random)
      throws IOException {
    this.tone = tone;
    this.rtp = pair.rtp();
    this.rtcp = pair.rtcp();
    this.local = new Endpoint(ip, portOf(rtp));
    this.reception = new Reception(theirs, tone);
    // RFC 3550 5.1: all three begin anywhere.
    this.ssrc = random.nextInt();
    this.firstTimestamp = random.nextInt();
    this.firstSequence = random.nextInt() & 0xffff;
    this.selector = Selector.open();
    rtp.configureBlocking(false);
    rtp.register(selector, SelectionKey.OP_READ);
    this.thread = Thread.ofPlatform().daemon().name("demo-rtp-" + name).unstarted(this::run);
  }

  /** The two ports of a stream; on the second, RTCP's, nothing is sent, but nobody else may be. */
  private record Pair(DatagramChannel rtp, DatagramChannel rtcp) {}

  /**
   * Binds a pair of ports and listens.
   *
   * @param name of the phone
   * @param tone what to say
   * @param theirs what should be heard
   */
  static RtpEndpoint open(String name, IpAddress ip, Tone tone, Tone theirs, SecureRandom random)
      throws IOException {
    Pair pair = bindPair(ip);
    try {
      var endpoint = new RtpEndpoint(name, ip, pair, tone, theirs, random);
      endpoint.thread.start();
      return endpoint;
    } catch (IOException e) {
      pair.rtp().close();
      pair.rtcp().close();
      throw e;
    }
  }

  private static Pair bindPair(IpAddress ip) throws IOException {
    for (int i = 0; i < PORT_PAIR_TRIES; i++) {
      DatagramChannel rtp = bind(ip, 0);
      int port = portOf(rtp);
      // RFC 3550 11: RTP takes an even port and RTCP the next.
      if ((port & 1) == 0) {
        try {
          return new Pair(rtp, bind(ip, port + 1));
        } catch (IOException e) {
          // Somebody has the odd one: the next try.
        }
      }
      rtp.close();
    }
    throw new IOException("no free pair of UDP ports on " + ip);
  }

  private static DatagramChannel bind(IpAddress ip, int port) throws IOException {
    DatagramChannel channel =
        DatagramChannel.open(
            ip.isV6() ? StandardProtocolFamily.INET6 : StandardProtocolFamily.INET);
    try {
      channel.bind(NettyLoops.socketAddress(new Endpoint(ip, port)));
      return channel;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static int portOf(DatagramChannel channel) throws IOException {
    return ((InetSocketAddress) channel.getLocalAddress()).getPort();
  }

  /** Where it listens. */
  Endpoint local() {
    return local;
  }

  /** What it says. */
  Tone tone() {
    return tone;
  }

  /** Sends there from now on. */
  void sendTo(Endpoint remote) {
    target = NettyLoops.socketAddress(remote);
    selector.wakeup();
  }

  /** Falls silent; it goes on listening. */
  void pause() {
    target = null;
    selector.wakeup();
  }

  /** Packets sent so far. */
  int sent() {
    return sent.get();
  }

  /** The sequence number of the last packet, as it is on the wire. */
  int lastSequence() {
    return (firstSequence + sent.get() - 1) & 0xffff;
  }

  /** What was heard so far. */
  Reception reception() {
    return reception;
  }

  /** Why it stopped working, if it did. */
  Optional<String> fault() {
    return Optional.ofNullable(fault);
  }

  private void run() {
    try {
      long dueNs = 0;
      boolean talking = false;
      while (!closed) {
        InetSocketAddress to = target;
        long nowNs = System.nanoTime();
        if (to == null) {
          talking = false;
          selector.select(IDLE_MS);
        } else {
          boolean begins = !talking || nowNs - dueNs > LONGEST_BURST_NS;
          if (begins) {
            // The clock goes on in silence (RFC 3550 5.1): the pause is as long as it was.
            sample += sent.get() > 0 ? samplesIn(nowNs - dueNs) : 0;
            dueNs = nowNs;
            talking = true;
          }
          if (dueNs <= nowNs) {
            send(to, begins);
            dueNs += PACKET_TIME.toNanos();
          }
          long waitMs = (dueNs - System.nanoTime() + NS_PER_MS - 1) / NS_PER_MS;
          if (waitMs > 0) {
            selector.select(waitMs);
          } else {
            selector.selectNow();
          }
        }
        selector.selectedKeys().clear();
        receive();
      }
    } catch (IOException e) {
      if (!closed) {
        fault = "RTP at " + local + ": " + e;
      }
    }
  }

  private static long samplesIn(long ns) {
    return ns / PACKET_TIME.toNanos() * SAMPLES;
  }

  private void send(InetSocketAddress to, boolean marker) throws IOException {
    ByteBuffer packet = ByteBuffer.wrap(out);
    packet
        .put((byte) 0x80)
        .put((byte) ((marker ? 0x80 : 0) | MuLaw.PAYLOAD_TYPE))
        .putShort((short) (firstSequence + sent.get()))
        .putInt(firstTimestamp + (int) sample)
        .putInt(ssrc);
    tone.write(out, HEADER, SAMPLES, sample);
    packet.clear();
    sample += SAMPLES;
    if (rtp.send(packet, to) > 0) {
      sent.incrementAndGet();
    }
  }

  private void receive() throws IOException {
    while (rtp.receive(in.clear()) != null) {
      reception.receive(in.flip());
    }
  }

  /** Stops the thread and gives the ports back. */
  @Override
  public void close() {
    closed = true;
    selector.wakeup();
    try {
      thread.join(THREAD_ENDS_WITHIN);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    closeQuietly(rtp);
    closeQuietly(rtcp);
    closeQuietly(selector);
  }

  private static void closeQuietly(Closeable each) {
    try {
      each.close();
    } catch (IOException e) {
      // It is of no use any more either way.
    }
  }
}
