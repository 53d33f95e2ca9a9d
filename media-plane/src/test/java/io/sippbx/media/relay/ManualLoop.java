package io.sippbx.media.relay;

import io.sippbx.shared.net.Endpoint;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A packet loop without thread and sockets: the test is the network, and turns it by hand. */
final class ManualLoop implements PacketLoop {

  /** What a socket sent. */
  record Sent(Endpoint from, Endpoint to, ByteBuffer datagram) {}

  final List<Sent> sent = new ArrayList<>();
  final List<Socket> sockets = new ArrayList<>();
  long nowNs;

  /** What sockets say that they have as receive buffer. */
  int receiveBufferBytes = Integer.MAX_VALUE;

  /** How often they were asked for it. */
  int receiveBufferAsked;

  /** Whether sockets refuse to send. */
  boolean isFull;

  private final ByteBuffer buffer = ByteBuffer.allocate(4_096);
  private @Nullable Owner owner;
  private boolean isWoken;
  private int nextPort = 20_000;

  @Override
  public void start(Owner ownerOfLoop) {
    owner = ownerOfLoop;
  }

  @Override
  public void wakeUp() {
    isWoken = true;
  }

  /** Runs what woke the loop, and a tick. */
  void turn() {
    wake();
    owner().tick();
  }

  /** Runs what woke the loop. */
  void wake() {
    Owner now = owner();
    while (isWoken) {
      isWoken = false;
      now.wokenUp();
    }
  }

  private Owner owner() {
    if (owner == null) {
      throw new IllegalStateException("Expected the loop to be started");
    }
    return owner;
  }

  /** Lets a socket receive a datagram, somewhere in a larger buffer. */
  void deliver(Socket socket, byte[] datagram, Endpoint from, int at) {
    buffer.put(at, datagram);
    if (socket.reader != null) {
      socket.reader.received(
          buffer,
          at,
          datagram.length,
          AddressBits.high(from.ip()),
          AddressBits.low(from.ip()),
          from.port());
    }
  }

  @Override
  public void stop() {
    sockets.clear();
    owner().stopped();
  }

  @Override
  public BindAnswer bind(Endpoint local, SocketOptions options) {
    var socket = new Socket(local.port() == 0 ? local.withPort(nextPort++) : local);
    sockets.add(socket);
    return new BindAnswer.Bound(socket);
  }

  @Override
  public void afterClosing(Runnable task) {
    task.run();
  }

  @Override
  public long nowNs() {
    return nowNs;
  }

  final class Socket implements PacketSocket {

    private final Endpoint local;
    private @Nullable PacketReader reader;
    private @Nullable Endpoint destination;

    private Socket(Endpoint local) {
      this.local = local;
    }

    @Override
    public Endpoint local() {
      return local;
    }

    @Override
    public void readBy(PacketReader to) {
      reader = to;
    }

    @Override
    public int receiveBufferBytes() {
      receiveBufferAsked++;
      return receiveBufferBytes;
    }

    @Override
    public void destination(long high, long low, int port) {
      destination = AddressBits.endpoint(high, low, port);
    }

    @Override
    public boolean send(int at, int length, int kind) {
      if (destination == null) {
        throw new IllegalStateException("Expected a destination");
      }
      if (isFull) {
        return false;
      }
      byte[] datagram = Arrays.copyOfRange(buffer.array(), at, at + length);
      sent.add(new Sent(local, destination, ByteBuffer.wrap(datagram)));
      return true;
    }

    @Override
    public long kernelDrops() {
      return 0;
    }

    @Override
    public void close() {
      sockets.remove(this);
    }
  }
}
