package io.sippbx.system;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A phone behind address translation: it registers over a connection that it opened, listens
 * nowhere, and is called over that connection. sipp cannot: it takes calls of another Call-ID only
 * where it listens.
 */
final class TcpPhone implements AutoCloseable {

  private static final Pattern LENGTH =
      Pattern.compile("^Content-Length: *(\\d+)", Pattern.MULTILINE | Pattern.CASE_INSENSITIVE);

  private final Socket socket;
  private final InputStream in;
  private final String user;

  TcpPhone(String edge, String user) throws IOException {
    int colon = edge.lastIndexOf(':');
    socket = new Socket(edge.substring(0, colon), Integer.parseInt(edge.substring(colon + 1)));
    socket.setSoTimeout(15_000);
    in = new BufferedInputStream(socket.getInputStream());
    this.user = user;
  }

  /** What it says of itself: an address at which nobody listens. */
  String contact() {
    return "sip:%s@127.0.0.1:%d;transport=tcp".formatted(user, socket.getLocalPort());
  }

  /** Registers; the answer. */
  String register() throws IOException {
    send(
        """
        REGISTER sip:127.0.0.1 SIP/2.0
        Via: SIP/2.0/TCP 127.0.0.1:%1$d;branch=z9hG4bK-%2$s
        Max-Forwards: 70
        From: <sip:%2$s@127.0.0.1>;tag=%2$s
        To: <sip:%2$s@127.0.0.1>
        Call-ID: register-%2$s-%1$d
        CSeq: 1 REGISTER
        Contact: <%3$s>
        Expires: 600
        Content-Length: 0

        """
            .formatted(socket.getLocalPort(), user, contact()));
    return receive();
  }

  /** The next message; fails when none comes for some seconds. */
  String receive() throws IOException {
    var text = new StringBuilder();
    while (text.indexOf("\r\n\r\n") < 0) {
      int octet = in.read();
      if (octet < 0) {
        throw new IOException("the connection was closed after: " + text);
      }
      if (!text.isEmpty() || octet != '\r' && octet != '\n') {
        text.append((char) octet);
      }
    }
    Matcher length = LENGTH.matcher(text);
    if (!length.find()) {
      throw new IOException("no Content-Length in: " + text);
    }
    byte[] body = in.readNBytes(Integer.parseInt(length.group(1)));
    return text + new String(body, StandardCharsets.UTF_8);
  }

  /** Answers a request. */
  void answer(String request, String status, String sdp) throws IOException {
    var head = new StringBuilder("SIP/2.0 " + status + "\n");
    for (String line : request.split("\r\n\r\n", 2)[0].split("\r\n")) {
      if (line.startsWith("Via:")
          || line.startsWith("From:")
          || line.startsWith("Call-ID:")
          || line.startsWith("CSeq:")) {
        head.append(line).append('\n');
      } else if (line.startsWith("To:")) {
        head.append(line).append(line.contains("tag=") ? "" : ";tag=" + user).append('\n');
      }
    }
    head.append("Contact: <").append(contact()).append(">\n");
    if (!sdp.isEmpty()) {
      head.append("Content-Type: application/sdp\n");
    }
    String body = sdp.replace("\n", "\r\n");
    head.append("Content-Length: ").append(body.length()).append("\n\n");
    send(head + body);
  }

  private void send(String text) throws IOException {
    String lines = text.replace("\r\n", "\n").replace("\n", "\r\n");
    socket.getOutputStream().write(lines.getBytes(StandardCharsets.UTF_8));
    socket.getOutputStream().flush();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
