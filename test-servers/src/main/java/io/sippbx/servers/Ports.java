package io.sippbx.servers;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * TCP ports of the loopback interface for servers of tests. Every process has a share of them for
 * as long as it lives, and hands out each port before it hands out one again: that a port is free
 * says nothing of what another process is about to do with it, nor of a server that is to start
 * again there. Any thread.
 */
public final class Ports {

  /**
   * Below the kernel's ephemeral ports, which others take from under a server that restarts, and
   * above the blocks that the system tests and the survival table share out, for the same reason.
   */
  private static final int FIRST = 31_000;

  static final int SHARE = 110;
  private static final int SHARES = 16;
  private static final int CONNECT_MS = 500;

  /** The lock on this process's share; open, so that it ends with the process and not before. */
  private static @Nullable FileChannel lock;

  private static int first;
  private static int handedOut;

  private Ports() {}

  /**
   * One that is free now.
   *
   * @throws IOException if none of this process's is, or all shares are other processes'
   */
  public static synchronized int free() throws IOException {
    if (lock == null) {
      takeShare();
    }
    for (int tries = 0; tries < SHARE; tries++) {
      int port = first + handedOut++ % SHARE;
      if (isFree(port)) {
        return port;
      }
    }
    throw new IOException("no free port from " + first + " to " + (first + SHARE - 1));
  }

  private static void takeShare() throws IOException {
    for (int i = 0; i < SHARES; i++) {
      Path file =
          Path.of(System.getProperty("java.io.tmpdir"), "sip-pbx-server-ports-" + i + ".lock");
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (channel.tryLock() != null) {
        lock = channel;
        first = FIRST + i * SHARE;
        return;
      }
      channel.close();
    }
    throw new IOException("all " + SHARES + " shares of ports are other processes'");
  }

  /** Whether nobody listens there now. */
  public static boolean isFree(int port) {
    try (var socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }

  /** Whether somebody takes connections there. */
  static boolean isTaken(int port) {
    try (var socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONNECT_MS);
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
