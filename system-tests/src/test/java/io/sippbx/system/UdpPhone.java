package io.sippbx.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A phone with a call that does nothing by itself: it says what a test tells it to say, repeats a
 * request only while the test waits for its answer, and tells all that it hears. One thread.
 */
final class UdpPhone implements AutoCloseable {

  private static final Duration T1 = Duration.ofMillis(500);
  private static final int MOST_OCTETS = 65_535;
  private static final Pattern BRANCH = Pattern.compile("^Via:[^\r]*?;branch=([^;\r]+)", 8);

  private final DatagramSocket socket;
  private final DatagramSocket media;
  private InetSocketAddress edge;
  private final String user;
  private final List<String> heard = new ArrayList<>();
  private int requests;
  private String callId = "";
  private String local = "";
  private String remote = "";
  private String target = "";

  UdpPhone(InetSocketAddress edge, String user) {
    this.edge = edge;
    this.user = user;
    try {
      InetAddress loopback = InetAddress.getLoopbackAddress();
      socket = new DatagramSocket(new InetSocketAddress(loopback, 0));
      media = new DatagramSocket(new InetSocketAddress(loopback, 0));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** From now on it says what it has to say there. */
  void speaksTo(InetSocketAddress other) {
    edge = other;
  }

  // --- what it says ---------------------------------------------------------------------------

  private String self() {
    return "127.0.0.1:" + socket.getLocalPort();
  }

  private String via() {
    requests++;
    return "Via: SIP/2.0/UDP %s;rport;branch=z9hG4bK-%s-%d-%d\r\n"
        .formatted(self(), user, socket.getLocalPort(), requests);
  }

  private String contact() {
    return "Contact: <sip:" + user + "@" + self() + ">\r\n";
  }

  private static String end(String sdp) {
    return (sdp.isEmpty() ? "" : "Content-Type: application/sdp\r\n")
        + "Content-Length: "
        + sdp.length()
        + "\r\n\r\n"
        + sdp;
  }

  /** A session description: audio, as either side offers and answers it. */
  String sdp() {
    return """
        v=0
        o=%1$s 1 1 IN IP4 127.0.0.1
        s=-
        c=IN IP4 127.0.0.1
        t=0 0
        m=audio %2$d RTP/AVP 0
        a=rtpmap:0 PCMU/8000
        """
        .formatted(user, media.getLocalPort())
        .replace("\n", "\r\n");
  }

  /** A request outside of a dialog that asks for nothing. */
  String options() {
    return outside("OPTIONS", "sip:127.0.0.1", "<sip:127.0.0.1>", "");
  }

  /** Binds the user to this phone. */
  String registration() {
    String self = "<sip:" + user + "@127.0.0.1>";
    return outside("REGISTER", "sip:127.0.0.1", self, contact() + "Expires: 600\r\n");
  }

  private String outside(String method, String uri, String to, String fields) {
    String via = via();
    return "%s %s SIP/2.0\r\n%sMax-Forwards: 70\r\nFrom: <sip:%s@127.0.0.1>;tag=%s\r\nTo: %s\r\n"
            .formatted(method, uri, via, user, user, to)
        + "Call-ID: %s-%d-%d\r\nCSeq: %d %s\r\n"
            .formatted(user, socket.getLocalPort(), requests, requests, method)
        + fields
        + end("");
  }

  /** The INVITE of its call, with an offer. */
  String invitation(String callee) {
    callId = "call-" + user + "-" + socket.getLocalPort();
    local = "<sip:" + user + "@127.0.0.1>;tag=" + user + socket.getLocalPort();
    remote = "<sip:" + callee + "@127.0.0.1>";
    target = "sip:" + callee + "@127.0.0.1:" + edge.getPort();
    return within("INVITE", sdp());
  }

  /** The next request of its dialog; an INVITE brings {@code sdp}. */
  String within(String method, String sdp) {
    return dialog(method, via(), requests, sdp);
  }

  /** What takes an INVITE back (RFC 3261 9.1). */
  String cancellation(String invite) {
    return ("CANCEL " + field(invite, "INVITE"))
        + "\r\n"
        + line(invite, "Via")
        + "Max-Forwards: 70\r\n"
        + line(invite, "From")
        + line(invite, "To")
        + line(invite, "Call-ID")
        + "CSeq: "
        + cseq(invite)
        + " CANCEL\r\n"
        + end("");
  }

  /** The ACK of a final response to {@code invite}; that of a 2xx is a request of the dialog. */
  String acknowledgement(String invite, String response) {
    if (response.startsWith("SIP/2.0 2")) {
      return dialog("ACK", via(), cseq(invite), "");
    }
    return ("ACK " + field(invite, "INVITE"))
        + "\r\n"
        + line(invite, "Via")
        + "Max-Forwards: 70\r\n"
        + line(invite, "From")
        + line(response, "To")
        + line(invite, "Call-ID")
        + "CSeq: "
        + cseq(invite)
        + " ACK\r\n"
        + end("");
  }

  private String dialog(String method, String via, long cseq, String sdp) {
    return "%s %s SIP/2.0\r\n%sMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n"
            .formatted(method, target, via, local, remote, callId, cseq, method)
        + contact()
        + end(sdp);
  }

  /** The caller's side of a dialog, as an answer to its INVITE makes it. */
  void joins(String response) {
    remote = field(response, "To:");
    target = uri(response);
  }

  /** The callee's side of a dialog, as the INVITE that it got makes it. */
  void isInvited(String invite) {
    callId = field(invite, "Call-ID:");
    local = field(invite, "To:") + ";tag=" + user;
    remote = field(invite, "From:");
    target = uri(invite);
  }

  /** An answer to a request of the edge. */
  String answer(String request, String status, String sdp) {
    String to = field(request, "To:");
    boolean hasTag = to.contains(";tag=");
    var vias = new StringBuilder();
    request
        .lines()
        .filter(each -> each.startsWith("Via:"))
        .forEach(each -> vias.append(each + "\r\n"));
    return "SIP/2.0 "
        + status
        + "\r\n"
        + vias
        + line(request, "From")
        + "To: "
        + to
        + (hasTag ? "" : ";tag=" + user)
        + "\r\n"
        + line(request, "Call-ID")
        + line(request, "CSeq")
        + contact()
        + end(sdp);
  }

  // --- what it sends and hears ----------------------------------------------------------------

  void send(String message) {
    byte[] octets = message.getBytes(StandardCharsets.UTF_8);
    try {
      socket.send(new DatagramPacket(octets, octets.length, edge));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The next message; empty if none comes in time. */
  Optional<String> receive(Duration atMost) {
    try {
      socket.setSoTimeout(Math.max(1, (int) atMost.toMillis()));
      var packet = new DatagramPacket(new byte[MOST_OCTETS], MOST_OCTETS);
      socket.receive(packet);
      String message = new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8);
      heard.add(message);
      return Optional.of(message);
    } catch (SocketTimeoutException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The next message that is wanted; what comes before it is passed over. */
  String await(String what, Duration within, Predicate<String> wanted) {
    return await(what, within, wanted, () -> {});
  }

  private String await(String what, Duration within, Predicate<String> wanted, Runnable eachT1) {
    long deadlineNs = System.nanoTime() + within.toNanos();
    long repeatNs = System.nanoTime() + T1.toNanos();
    while (System.nanoTime() - deadlineNs < 0) {
      Optional<String> message = receive(Duration.ofMillis(100));
      if (message.filter(wanted).isPresent()) {
        return message.get();
      }
      if (System.nanoTime() - repeatNs > 0) {
        eachT1.run();
        repeatNs = System.nanoTime() + T1.toNanos();
      }
    }
    throw new AssertionError(
        user + " has not heard " + what + " within " + within + ", but:\n" + heard);
  }

  /** The next request of this method. */
  String awaitRequest(String method, Duration within) {
    return awaitRequest(method, within, () -> {});
  }

  /** The same; what the other side says to bring it about is said at once, and again each T1. */
  String awaitRequest(String method, Duration within, Runnable said) {
    said.run();
    return await(method, within, message -> message.startsWith(method + " "), said);
  }

  /** The final answer to a request, which is sent again each T1 until it is there. */
  String ask(String request, Duration within) {
    send(request);
    return await(
        "the answer to " + request,
        within,
        message -> isFinalTo(request, message),
        () -> send(request));
  }

  /** Whether this is a final answer to that request. */
  static boolean isFinalTo(String request, String message) {
    return message.startsWith("SIP/2.0 ")
        && !message.startsWith("SIP/2.0 1")
        && branch(message).equals(branch(request))
        && line(message, "CSeq").equals(line(request, "CSeq"));
  }

  /** What has come and was not asked for yet. */
  List<String> rest() {
    var rest = new ArrayList<String>();
    for (Optional<String> next = receive(Duration.ofMillis(1));
        next.isPresent();
        next = receive(Duration.ofMillis(1))) {
      rest.add(next.get());
    }
    return rest;
  }

  /** All that has come so far. */
  List<String> heard() {
    return List.copyOf(heard);
  }

  String callId() {
    return callId;
  }

  // --- parts of messages ----------------------------------------------------------------------

  /** Of the uppermost Via. */
  static String branch(String message) {
    Matcher matcher = BRANCH.matcher(message);
    return matcher.find() ? matcher.group(1) : "";
  }

  static int status(String response) {
    return Integer.parseInt(response.substring("SIP/2.0 ".length(), "SIP/2.0 200".length()));
  }

  private static long cseq(String message) {
    return Long.parseLong(field(message, "CSeq:").split(" ")[0]);
  }

  private static String uri(String message) {
    return field(message, "Contact:").replaceFirst(".*<([^>]*)>.*", "$1");
  }

  /** The first line that begins so, without its beginning. */
  private static String field(String message, String begins) {
    return message
        .lines()
        .filter(each -> each.startsWith(begins))
        .findFirst()
        .map(each -> each.substring(begins.length()).strip())
        .orElse("");
  }

  private static String line(String message, String name) {
    return name + ": " + field(message, name + ":") + "\r\n";
  }

  @Override
  public void close() {
    socket.close();
    media.close();
  }
}
