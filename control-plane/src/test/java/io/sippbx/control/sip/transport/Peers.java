package io.sippbx.control.sip.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipLimits;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipParser;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.awaitility.Awaitility;

/** The other side of the wire in the transport's tests: the JDK's own blocking sockets. */
final class Peers {

  /** Long enough for any machine; never the time that a passing test takes. */
  static final Duration PATIENCE = Duration.ofSeconds(30);

  private Peers() {}

  /** Waits until a condition holds. */
  static void await(String what, BooleanSupplier condition) {
    Awaitility.await(what)
        .pollInSameThread()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(1))
        .atMost(PATIENCE)
        .until(condition::getAsBoolean);
  }

  /** The next of a queue. */
  static <T> T next(BlockingQueue<T> queue) {
    try {
      T value = queue.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
      assertThat(value).as("the next of a queue").isNotNull();
      return value;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  static InetAddress loopback(boolean v6) {
    return NettyLoops.inetAddress(IpAddress.of(v6 ? "::1" : "127.0.0.1"));
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String text(byte[] octets) {
    return new String(octets, StandardCharsets.UTF_8);
  }

  static SipMessage parse(String text) {
    byte[] octets = bytes(text);
    ParseResult result = SipParser.parse(octets, 0, octets.length, SipLimits.DEFAULT);
    assertThat(result).isInstanceOf(ParseResult.Parsed.class);
    return ((ParseResult.Parsed) result).message();
  }

  /** Collects what the transport passes up. */
  static final class Received implements SipReceiver {
    final BlockingQueue<SipMessage> messages = new LinkedBlockingQueue<>();
    final BlockingQueue<Flow> flows = new LinkedBlockingQueue<>();
    final BlockingQueue<ParseResult.Malformed> malformed = new LinkedBlockingQueue<>();
    final Set<String> threads = ConcurrentHashMap.newKeySet();
    final BlockingQueue<Flow> malformedFlows = new LinkedBlockingQueue<>();

    @Override
    public void received(SipMessage message, Flow flow) {
      threads.add(Thread.currentThread().getName());
      flows.add(flow);
      messages.add(message);
    }

    @Override
    public void malformed(ParseResult.Malformed bad, Flow flow) {
      malformedFlows.add(flow);
      malformed.add(bad);
    }
  }

  /** A UDP socket on loopback. */
  static final class Udp implements AutoCloseable {
    private final DatagramSocket socket;

    Udp(boolean v6) {
      try {
        socket = new DatagramSocket(new InetSocketAddress(loopback(v6), 0));
        socket.setSoTimeout((int) PATIENCE.toMillis());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    Endpoint endpoint() {
      return NettyLoops.endpoint((InetSocketAddress) socket.getLocalSocketAddress());
    }

    void send(byte[] octets, Endpoint to) {
      try {
        socket.send(new DatagramPacket(octets, octets.length, NettyLoops.socketAddress(to)));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    byte[] receive() {
      try {
        var packet = new DatagramPacket(new byte[70_000], 70_000);
        socket.receive(packet);
        return Arrays.copyOf(packet.getData(), packet.getLength());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void close() {
      socket.close();
    }
  }

  /** A TCP listener on loopback. */
  static final class TcpServer implements AutoCloseable {
    private final ServerSocket socket;

    TcpServer(boolean v6) {
      this(new Endpoint(IpAddress.ofOctets(loopback(v6).getAddress()), 0));
    }

    TcpServer(Endpoint at) {
      this(at, 0);
    }

    /**
     * @param room for one connection more than this, which nobody has accepted; Linux answers the
     *     SYN of another once there is room again
     */
    TcpServer(boolean v6, int room) {
      this(new Endpoint(IpAddress.ofOctets(loopback(v6).getAddress()), 0), room);
    }

    private TcpServer(Endpoint at, int backlog) {
      try {
        socket = new ServerSocket();
        socket.setReuseAddress(true);
        socket.bind(NettyLoops.socketAddress(at), backlog);
        socket.setSoTimeout((int) PATIENCE.toMillis());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    Endpoint endpoint() {
      return NettyLoops.endpoint((InetSocketAddress) socket.getLocalSocketAddress());
    }

    Tcp accept() {
      try {
        Socket accepted = socket.accept();
        Tcp.prepare(accepted);
        return new Tcp(accepted);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** Whether another connection is waiting to be accepted. */
    boolean hasAnother() {
      try {
        socket.setSoTimeout(1);
        socket.accept().close();
        return true;
      } catch (SocketTimeoutException e) {
        return false;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void close() {
      try {
        socket.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** A TCP connection. */
  static final class Tcp implements AutoCloseable {
    private final Socket socket;
    private byte[] held = new byte[0];

    Tcp(Socket socket) {
      this.socket = socket;
    }

    static Tcp connect(Endpoint to) {
      try {
        var socket = new Socket();
        prepare(socket);
        socket.connect(NettyLoops.socketAddress(to), (int) PATIENCE.toMillis());
        return new Tcp(socket);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** Whether somebody takes connections there. */
    static boolean isListening(Endpoint there) {
      try (var socket = new Socket()) {
        socket.connect(NettyLoops.socketAddress(there), (int) PATIENCE.toMillis());
        return true;
      } catch (ConnectException e) {
        return false;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** Before it is connected: one that was reset takes no options any more. */
    private static void prepare(Socket socket) throws IOException {
      socket.setSoTimeout((int) PATIENCE.toMillis());
      socket.setTcpNoDelay(true);
    }

    /** Connects and expects to be turned away, which may show at once or with the first read. */
    static void assertRefused(Endpoint to) {
      try (var connection = connect(to)) {
        connection.awaitEnd();
      } catch (UncheckedIOException e) {
        assertThat(e).hasMessageContaining("reset");
      }
    }

    /** One whose receive window is as small as can be. */
    static Tcp connectWithSmallWindow(Endpoint to) {
      try {
        var socket = new Socket();
        prepare(socket);
        socket.setReceiveBufferSize(1_024);
        socket.connect(NettyLoops.socketAddress(to), (int) PATIENCE.toMillis());
        return new Tcp(socket);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    Endpoint local() {
      return NettyLoops.endpoint((InetSocketAddress) socket.getLocalSocketAddress());
    }

    void send(byte[] octets) {
      try {
        socket.getOutputStream().write(octets);
        socket.getOutputStream().flush();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    void send(String text) {
      send(bytes(text));
    }

    /** Sends, unless the other side has ended the connection. */
    void trySend(String text) {
      try {
        socket.getOutputStream().write(bytes(text));
      } catch (IOException e) {
        assertThat(e).hasMessageNotContaining("timed out");
      }
    }

    /** Exactly so many octets. */
    byte[] read(int count) {
      try {
        return socket.getInputStream().readNBytes(count);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** The next message. */
    SipMessage message() {
      try {
        while (true) {
          if (held.length > 0
              && SipParser.parseStream(held, 0, held.length, SipLimits.DEFAULT)
                  instanceof ParseResult.Parsed parsed) {
            held = Arrays.copyOfRange(held, parsed.consumed(), held.length);
            return parsed.message();
          }
          byte[] more = new byte[65_536];
          int count = socket.getInputStream().read(more);
          assertThat(count)
              .as("octets of a message, of which there are %s", text(held))
              .isPositive();
          var both = new ByteArrayOutputStream();
          both.write(held);
          both.write(more, 0, count);
          held = both.toByteArray();
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** Reads until the other side ends the connection, in whatever way. */
    void awaitEnd() {
      try {
        byte[] rest = new byte[65_536];
        int count;
        do {
          count = socket.getInputStream().read(rest);
        } while (count >= 0);
      } catch (SocketTimeoutException e) {
        throw new AssertionError("Expected the connection to be ended", e);
      } catch (IOException e) {
        // A reset is an end too.
        return;
      }
    }

    /** Ends it with a reset. */
    void reset() {
      try {
        socket.setSoLinger(true, 0);
        socket.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void close() {
      try {
        socket.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
