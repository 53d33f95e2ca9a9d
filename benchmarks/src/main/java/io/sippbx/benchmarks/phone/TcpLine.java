package io.sippbx.benchmarks.phone;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A phone that speaks TCP: it keeps one connection to the edge, makes it anew when it breaks, and
 * listens at the address of its Via and Contact, as RFC 3261 18.2.2 and 18.1.1 want.
 */
final class TcpLine implements Line {

  private static final ByteBuffer BUFFER = ByteBuffer.allocateDirect(65_536);
  private static final int MOST_WAITING = 100;
  private static final int LEAST_PAUSE_MS = 50;
  private static final int PAUSE_SPREAD_MS = 200;

  private final PhoneLoop loop;
  private final InetSocketAddress edge;
  private final Listener listener;
  private final Random random;
  private final ServerSocketChannel server;
  private final Address local;
  private final List<Connection> connections = new ArrayList<>();
  private final Deque<byte[]> waiting = new ArrayDeque<>();
  private @Nullable Connection main;
  private int breaks;
  private boolean closed;

  TcpLine(PhoneLoop loop, String ip, InetSocketAddress edge, Listener listener, Random random)
      throws IOException {
    this.loop = loop;
    this.edge = edge;
    this.listener = listener;
    this.random = random;
    server = ServerSocketChannel.open();
    server.bind(new InetSocketAddress(ip, 0));
    local = Address.of((InetSocketAddress) server.getLocalAddress());
    loop.watch(server, SelectionKey.OP_ACCEPT, key -> accept());
    connect();
  }

  /** One connection, ours to the edge or the edge's to us. */
  private final class Connection {
    final SocketChannel channel;
    final Framing framing = new Framing();
    final Deque<ByteBuffer> unsent = new ArrayDeque<>();
    boolean open;
    @Nullable SelectionKey key;

    Connection(SocketChannel channel) {
      this.channel = channel;
    }

    void ready(SelectionKey ready) {
      try {
        if (ready.isConnectable() && channel.finishConnect()) {
          opened();
        }
        if (ready.isReadable()) {
          read();
        }
        if (ready.isValid() && ready.isWritable()) {
          write();
        }
      } catch (IOException e) {
        broken(this);
      }
    }

    void opened() throws IOException {
      open = true;
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      interest();
      for (byte[] each = waiting.poll(); each != null; each = waiting.poll()) {
        unsent.add(ByteBuffer.wrap(each));
      }
      write();
      if (breaks > 0) {
        listener.connected();
      }
    }

    void read() throws IOException {
      BUFFER.clear();
      if (channel.read(BUFFER) < 0) {
        broken(this);
        return;
      }
      BUFFER.flip();
      framing.add(BUFFER);
      for (var next = framing.next(); next.isPresent(); next = framing.next()) {
        listener.heard(next.get(), this::reply);
      }
    }

    /** A response goes back over its request's connection; if that is gone, over the other. */
    void reply(byte[] message) {
      if (open) {
        send(message);
      } else {
        TcpLine.this.send(message);
      }
    }

    void send(byte[] message) {
      unsent.add(ByteBuffer.wrap(message));
      try {
        write();
      } catch (IOException e) {
        broken(this);
      }
    }

    void write() throws IOException {
      for (ByteBuffer next = unsent.peek(); next != null; next = unsent.peek()) {
        channel.write(next);
        if (next.hasRemaining()) {
          break;
        }
        unsent.poll();
      }
      interest();
    }

    void interest() {
      if (key != null && key.isValid()) {
        key.interestOps(
            unsent.isEmpty() ? SelectionKey.OP_READ : SelectionKey.OP_READ | SelectionKey.OP_WRITE);
      }
    }
  }

  private void connect() {
    if (closed) {
      return;
    }
    try {
      SocketChannel channel = SocketChannel.open();
      channel.bind(new InetSocketAddress(local.ip(), 0));
      var connection = new Connection(channel);
      main = connection;
      connections.add(connection);
      channel.configureBlocking(false);
      boolean atOnce = channel.connect(edge);
      connection.key =
          loop.watch(
              channel, atOnce ? SelectionKey.OP_READ : SelectionKey.OP_CONNECT, connection::ready);
      if (atOnce) {
        connection.opened();
      }
    } catch (IOException e) {
      again();
    }
  }

  private void again() {
    main = null;
    Duration pause = Duration.ofMillis(LEAST_PAUSE_MS + random.nextInt(PAUSE_SPREAD_MS));
    loop.after(pause, this::connect);
  }

  private void broken(Connection connection) {
    boolean wasOpen = connection.open;
    connection.open = false;
    connections.remove(connection);
    try {
      connection.channel.close();
    } catch (IOException e) {
      // It is gone in any case.
    }
    if (connection == main && !closed) {
      if (wasOpen) {
        breaks++;
      }
      again();
    }
  }

  private void accept() throws IOException {
    SocketChannel channel = server.accept();
    if (channel != null) {
      var connection = new Connection(channel);
      connections.add(connection);
      connection.key = loop.watch(channel, SelectionKey.OP_READ, connection::ready);
      connection.open = true;
    }
  }

  @Override
  public void send(byte[] message) {
    Connection now = main;
    if (now != null && now.open) {
      now.send(message);
    } else if (waiting.size() < MOST_WAITING) {
      waiting.add(message);
    }
  }

  @Override
  public String via() {
    return "SIP/2.0/TCP " + local;
  }

  @Override
  public String contact() {
    return local + ";transport=tcp";
  }

  @Override
  public boolean isReliable() {
    return true;
  }

  @Override
  public int breaks() {
    return breaks;
  }

  @Override
  public void close() {
    closed = true;
    try {
      server.close();
      for (Connection each : new ArrayList<>(connections)) {
        each.channel.close();
      }
    } catch (IOException e) {
      // Nothing is left to be lost.
    }
  }
}
