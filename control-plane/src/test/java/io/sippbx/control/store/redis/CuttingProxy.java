package io.sippbx.control.store.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Stands between a client and a server on loopback and cuts every connection when so many octets
 * have passed in one direction. Its threads are daemons that end with their sockets.
 */
public final class CuttingProxy implements AutoCloseable {

  private static final long NEVER = Long.MAX_VALUE;

  private final ServerSocket listener;
  private final int target;
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final AtomicLong toServer = new AtomicLong(NEVER);
  private final AtomicLong toClient = new AtomicLong(NEVER);
  private final AtomicInteger cuts = new AtomicInteger();

  /** Starts, and lets everything pass. */
  public CuttingProxy(int target) throws IOException {
    this(target, new ServerSocket(0, 16, InetAddress.getLoopbackAddress()));
  }

  /** The same where clients are taken by {@code listener}, which ends with this. */
  public CuttingProxy(int target, ServerSocket listener) {
    this.target = target;
    this.listener = listener;
    thread(this::accept);
  }

  /** Where clients connect to. */
  public RedisAddress address() {
    return new RedisAddress.Single(
        new RedisAddress.Host("127.0.0.1", listener.getLocalPort()), false);
  }

  /** Cuts once so many more octets have gone to the server; those after them do not arrive. */
  public void cutAfterToServer(long octets) {
    toServer.set(octets);
  }

  /** Cuts once so many more octets have come from the server; those after them do not arrive. */
  public void cutAfterToClient(long octets) {
    toClient.set(octets);
  }

  /** How often it has cut. */
  public int cuts() {
    return cuts.get();
  }

  private static void thread(Runnable task) {
    Thread.ofPlatform().daemon().start(task);
  }

  private void accept() {
    try {
      while (!listener.isClosed()) {
        Socket client = listener.accept();
        var server = new Socket(InetAddress.getLoopbackAddress(), target);
        sockets.add(client);
        sockets.add(server);
        thread(() -> pump(client, server, toServer));
        thread(() -> pump(server, client, toClient));
      }
    } catch (IOException e) {
      // Closed, or the server is away: the client sees its connection end.
      sockets.forEach(CuttingProxy::close);
    }
  }

  private void pump(Socket from, Socket to, AtomicLong allowance) {
    byte[] buffer = new byte[4096];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        long left = allowance.get();
        if (left == NEVER) {
          out.write(buffer, 0, n);
          continue;
        }
        int passing = (int) Math.min(left, n);
        out.write(buffer, 0, passing);
        if (allowance.addAndGet(-passing) <= 0) {
          allowance.set(NEVER);
          cuts.incrementAndGet();
          return;
        }
      }
    } catch (IOException e) {
      // The other direction was cut.
    }
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
    sockets.forEach(CuttingProxy::close);
  }
}
