package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.system.Sipp.Transport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Peers that are wrong or mean no good, before the built executable. */
class HostileIT {

  private static final Duration A_MOMENT = Duration.ofMillis(300);

  @TempDir static Path folder = Path.of("");
  private static EdgeProcess edge = notYet();

  private final RawSip peer = new RawSip(edge.sip(Transport.UDP));

  @SuppressWarnings("NullAway") // Set before the first test.
  private static EdgeProcess notYet() {
    return null;
  }

  @BeforeAll
  static void start() {
    edge = EdgeProcess.standalone(folder);
  }

  @AfterAll
  static void stop() {
    edge.close();
  }

  /** Whatever was done to it: it answers, and nothing of it is a fault of ours. */
  @AfterEach
  void isUnhurt() {
    try (var other = new RawSip(edge.sip(Transport.UDP))) {
      assertThat(other.ask(other.request("OPTIONS"))).startsWith("SIP/2.0 200 ");
    }
    assertThat(edge.child().tail())
        .doesNotContain("Exception", "\"level\":\"ERROR\"", "\tat io.", "OutOfMemory");
    peer.close();
  }

  @ParameterizedTest(name = "{0}: {3}")
  @DisplayName("server behaviour, by the text of a request and what is changed in it")
  @CsvSource(
      delimiter = '|',
      ignoreLeadingAndTrailingWhitespace = true,
      value = {
        "OPTIONS  | CSeq: 1 OPTIONS     | CSeq: 1 INVITE              | 400 CSeq Method Mismatch",
        "OPTIONS  | Max-Forwards: 70    | Max-Forwards: -1            | 400 Bad Max-Forwards",
        "OPTIONS  | Max-Forwards: 70    | Max-Forwards: 256           | 400 Bad Max-Forwards",
        "OPTIONS  | Content-Length: 0   | Content-Length: -1          | 400 Bad Content-Length",
        "OPTIONS  | Content-Length: 0   | Content-Length: 99999999999 | 400 Bad Content-Length",
        "OPTIONS  | Content-Length: 0   | Content-Length: 7           | 400 Body Shorter",
        "OPTIONS  | sip:bob@127.0.0.1   | sip:b%zzb@127.0.0.1         | 400 Bad Request-URI",
        "REGISTER | Content-Length: 0   | Contact: *~Content-Length: 0 | 400 Contact * needs",
        "SUBSCRIBE| Max-Forwards: 70    | Max-Forwards: 70            | 405 Method Not Allowed",
        "INVITE   | sip:bob@127.0.0.1   | http://example.com          | 416 Unsupported URI Scheme",
        "INVITE   | Content-Length: 0   | Require: 100rel~Content-Length: 0 | 420 Bad Extension",
        "BYE      | Max-Forwards: 70    | Max-Forwards: 70            | 481 Call",
        "CANCEL   | Max-Forwards: 70    | Max-Forwards: 70            | 481 Call",
        "INVITE   | Max-Forwards: 70    | Max-Forwards: 0             | 483 Too Many Hops",
        "DANCE    | Max-Forwards: 70    | Max-Forwards: 70            | 501 Not Implemented",
        "OPTIONS  | ' SIP/2.0~'         | ' SIP/3.0~'                 | 505 Version Not Supported",
      })
  void refusesByTheRightStatus(String method, String what, String instead, String status) {
    String request = peer.request(method);
    String before = what.replace("~", "\r\n");
    assertThat(request).contains(before);
    int at = request.indexOf(before);
    String changed =
        request.substring(0, at)
            + instead.replace("~", "\r\n")
            + request.substring(at + before.length());
    assertThat(peer.ask(changed)).startsWith("SIP/2.0 " + status);
  }

  @Test
  void refusesWhatIsAboveItsLimits() {
    String fields = "X: y\r\n".repeat(3_000);
    assertThat(peer.ask(peer.request("OPTIONS", "UDP", "sip:bob@127.0.0.1", fields)))
        .matches("(?s)SIP/2\\.0 (400|513) .*");
    String vias = "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n".repeat(1_000);
    assertThat(peer.ask(peer.request("OPTIONS", "UDP", "sip:bob@127.0.0.1", vias)))
        .startsWith("SIP/2.0 483 ");
    String header = "Subject: " + "y".repeat(60_000) + "\r\n";
    assertThat(peer.ask(peer.request("OPTIONS", "UDP", "sip:bob@127.0.0.1", header)))
        .startsWith("SIP/2.0 513 ");
    String contacts = "Contact: " + "<sip:c@h>, ".repeat(1_000) + "<sip:c@h>\r\n";
    assertThat(peer.ask(peer.request("REGISTER", "UDP", "sip:127.0.0.1", contacts)))
        .startsWith("SIP/2.0 513 ");
  }

  @Test
  void dropsGarbageWithoutALine() {
    String before = edge.child().tail();
    var random = new Random(1);
    byte[] invite = peer.request("INVITE").getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < 5_000; i++) {
      byte[] noise = new byte[1 + random.nextInt(400)];
      random.nextBytes(noise);
      peer.send(noise);
      byte[] nul = invite.clone();
      nul[random.nextInt(nul.length)] = 0;
      peer.send(nul);
      peer.send(
          "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP "
              + edge.sip(Transport.UDP)
              + ";branch=z9hG4bK"
              + Long.toHexString(random.nextLong())
              + "\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n"
              + "Contact: <sip:evil@127.0.0.1:9>\r\nContent-Length: 0\r\n\r\n");
      peer.send(
          peer.request("ACK")
              .replace("To: <sip:bob@127.0.0.1>", "To: <sip:bob@127.0.0.1>;tag=foreign" + i));
    }
    edge.awaitNothingLeft();
    assertThat(edge.child().tail()).isEqualTo(before);
  }

  @Test
  void keepsToTheMessageBehindAStreamOfNonsense() throws IOException {
    for (String nonsense :
        List.of(
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "OPTIONS sip:a SIP/2.0\r\n" + "X: y\r\n".repeat(200_000),
            "OPTIONS " + "a".repeat(200_000),
            peer.request("OPTIONS", "TCP", "sip:a@b", "")
                .replace("Content-Length: 0", "Content-Length: -5"),
            peer.request("OPTIONS", "TCP", "sip:a@b", "")
                .replace("Content-Length: 0", "Content-Length: 0\r\nl: 10"))) {
      try (Socket connection = connect()) {
        connection.setSoTimeout(10_000);
        try {
          connection.getOutputStream().write(nonsense.getBytes(StandardCharsets.UTF_8));
          // A 400, or nothing; then the end.
          connection.getInputStream().readAllBytes();
        } catch (java.net.SocketTimeoutException e) {
          throw new AssertionError("still open after: " + nonsense.substring(0, 20), e);
        } catch (IOException e) {
          assertThat(e).hasMessageMatching("(?i).*(reset|broken pipe).*");
        }
      }
    }
  }

  @Test
  void servesOthersWhileManyHoldConnectionsHalfRead() throws IOException {
    var connections = new ArrayList<Socket>();
    try {
      for (int i = 0; i < 200; i++) {
        Socket connection = connect();
        connections.add(connection);
        connection
            .getOutputStream()
            .write("OPTIONS sip:a@b SIP/2.0\r\nX: y".getBytes(StandardCharsets.UTF_8));
      }
      try (Socket good = connect()) {
        good.getOutputStream()
            .write(peer.request("OPTIONS", "TCP", "sip:a@b", "").getBytes(StandardCharsets.UTF_8));
        assertThat(RawSip.head(good).orElseThrow()).startsWith("SIP/2.0 200 ");
      }
    } finally {
      for (Socket each : connections) {
        each.close();
      }
    }
  }

  @Test
  @DisplayName("a phone whose connection is gone is connected to where its contact points")
  void callsAPhoneWhoseConnectionIsGone() throws IOException {
    try (var listener = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      String to = "To: <sip:lost@127.0.0.1>";
      String contact =
          "Contact: <sip:lost@127.0.0.1:" + listener.getLocalPort() + ";transport=tcp>\r\n";
      try (Socket connection = connect()) {
        String register =
            peer.request("REGISTER", "TCP", "sip:127.0.0.1", contact)
                .replace("To: <sip:bob@127.0.0.1>", to);
        connection.getOutputStream().write(register.getBytes(StandardCharsets.UTF_8));
        assertThat(RawSip.head(connection).orElseThrow()).startsWith("SIP/2.0 200 ");
      }
      // Nobody can know of a connection that it is about to end.
      Await.until(
          "the end of the connection",
          Duration.ofSeconds(10),
          HostileIT::metrics,
          text -> text.contains("\nsip_connections 0.0\n"));
      String invite =
          peer.request(
              "INVITE",
              "UDP",
              "sip:lost@" + edge.sip(Transport.UDP),
              "Contact: <sip:raw@" + peer.local() + ">\r\n");
      peer.send(invite);
      listener.setSoTimeout(10_000);
      try (Socket called = listener.accept()) {
        String received = RawSip.head(called).orElseThrow();
        assertThat(received).startsWith("INVITE sip:lost@127.0.0.1:" + listener.getLocalPort());
        called.getOutputStream().write(busy(received).getBytes(StandardCharsets.UTF_8));
        assertThat(RawSip.head(called).orElseThrow()).startsWith("ACK ");
      }
      assertThat(peer.receive(Duration.ofSeconds(5)).orElseThrow()).startsWith("SIP/2.0 100 ");
      assertThat(peer.receive(Duration.ofSeconds(5)).orElseThrow()).startsWith("SIP/2.0 486 ");
    }
    edge.awaitNothingLeft();
  }

  @Test
  void doesNotSendToManyBecauseAContactSaysSo() {
    String contact = "Contact: <sip:many@239.1.1.1:5060>\r\n";
    assertThat(
            peer.ask(
                peer.request("REGISTER", "UDP", "sip:127.0.0.1", contact)
                    .replace("To: <sip:bob@", "To: <sip:many@")))
        .startsWith("SIP/2.0 200 ");
    String answer =
        peer.ask(
            peer.request(
                "INVITE",
                "UDP",
                "sip:many@" + edge.sip(Transport.UDP),
                "Contact: <sip:raw@" + peer.local() + ">\r\n"));
    assertThat(answer).startsWith("SIP/2.0 480 ");
    assertThat(peer.receive(A_MOMENT).orElse("").startsWith("INVITE")).isFalse();
    edge.awaitNothingLeft();
  }

  private static String busy(String invite) {
    var response = new StringBuilder("SIP/2.0 486 Busy Here\r\n");
    for (String line : invite.split("\r\n", -1)) {
      if (line.startsWith("To:")) {
        response.append(line).append(";tag=phone\r\n");
      } else if (line.matches("(Via|From|Call-ID|CSeq):.*")) {
        response.append(line).append("\r\n");
      }
    }
    return response.append("Content-Length: 0\r\n\r\n").toString();
  }

  private static String metrics() {
    String address = edge.address("metrics");
    var uri = URI.create("http://127.0.0.1" + address.substring(address.lastIndexOf(':')));
    try (var body = uri.resolve("/metrics").toURL().openStream()) {
      return new String(body.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Socket connect() throws IOException {
    var address = RawSip.address(edge.sip(Transport.TCP));
    return new Socket(address.getAddress(), address.getPort());
  }
}
