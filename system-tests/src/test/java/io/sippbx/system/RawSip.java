package io.sippbx.system;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/** A socket that sends whatever it is given, and the text of requests to change at will. */
final class RawSip implements AutoCloseable {

  private static final Duration T1 = Duration.ofMillis(500);
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final DatagramSocket socket;
  private final InetSocketAddress edge;
  private int requests;

  /**
   * @param edge an address as in the banner
   */
  RawSip(String edge) {
    this.edge = address(edge);
    try {
      socket = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static InetSocketAddress address(String text) {
    int colon = text.lastIndexOf(':');
    return new InetSocketAddress(
        text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
  }

  /** Where answers come to, as {@code 127.0.0.1:40000}. */
  String local() {
    return "127.0.0.1:" + socket.getLocalPort();
  }

  /** A request without a body, each in a transaction and a call of its own. */
  String request(String method) {
    return request(method, "UDP", "sip:bob@127.0.0.1", "");
  }

  /**
   * The same.
   *
   * @param fields further header fields, each with its line end
   */
  String request(String method, String transport, String uri, String fields) {
    requests++;
    return method
        + " "
        + uri
        + " SIP/2.0\r\nVia: SIP/2.0/"
        + transport
        + " "
        + local()
        + ";rport;branch=z9hG4bK-raw-"
        + socket.getLocalPort()
        + "-"
        + requests
        + "\r\nMax-Forwards: 70\r\nFrom: <sip:raw@127.0.0.1>;tag=raw\r\nTo: <sip:bob@127.0.0.1>\r\n"
        + "Call-ID: raw-"
        + socket.getLocalPort()
        + "-"
        + requests
        + "\r\nCSeq: 1 "
        + method
        + "\r\n"
        + fields
        + "Content-Length: 0\r\n\r\n";
  }

  void send(byte[] octets) {
    try {
      socket.send(new DatagramPacket(octets, octets.length, edge));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void send(String text) {
    send(text.getBytes(StandardCharsets.UTF_8));
  }

  /** The next message; empty if none comes in time. */
  Optional<String> receive(Duration atMost) {
    try {
      socket.setSoTimeout((int) atMost.toMillis());
      var packet = new DatagramPacket(new byte[70_000], 70_000);
      socket.receive(packet);
      return Optional.of(
          new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8));
    } catch (SocketTimeoutException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The answer to a request: what comes next with its Call-ID and is not 100. The request is sent
   * again each T1, as RFC 3261 17.1.2 has it: behind a burst the kernel drops what finds no room.
   */
  String ask(String request) {
    String callId = request.replaceFirst("(?s).*\r\nCall-ID: ([^\r]*)\r\n.*", "$1");
    long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
    send(request);
    while (System.nanoTime() - deadlineNs < 0) {
      Optional<String> answer = receive(T1);
      if (answer.isEmpty()) {
        send(request);
      } else if (answer.get().contains(callId) && !answer.get().startsWith("SIP/2.0 100 ")) {
        return answer.get();
      }
    }
    throw new AssertionError("no answer to:\n" + request);
  }

  /** The next message of a connection, less its body; empty at its end. */
  static Optional<String> head(java.net.Socket connection) {
    try {
      connection.setSoTimeout((int) PATIENCE.toMillis());
      var octets = new ByteArrayOutputStream();
      int next = connection.getInputStream().read();
      while (next >= 0) {
        octets.write(next);
        if (octets.toString(StandardCharsets.UTF_8).endsWith("\r\n\r\n")) {
          return Optional.of(octets.toString(StandardCharsets.UTF_8));
        }
        next = connection.getInputStream().read();
      }
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    socket.close();
  }
}
