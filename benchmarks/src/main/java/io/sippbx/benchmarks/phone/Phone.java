package io.sippbx.benchmarks.phone;

import io.sippbx.benchmarks.phone.SipText.Field;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A phone with one call: transactions with their repeats (RFC 3261 17), a dialog, and media. What
 * it does and when is its {@link Owner}'s affair. Loop only.
 */
public final class Phone {

  static final Duration T1 = Duration.ofMillis(500);
  static final Duration T2 = Duration.ofSeconds(4);
  static final Duration TIMEOUT = T1.multipliedBy(64);
  private static final int JOURNAL = 200;
  private static final int BRANCHES = 100;
  private static final long START_NS = System.nanoTime();

  /** Every phone's. */
  public static final String PASSWORD = "survival";

  private static final String ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE";

  /** Who tells it what to do. */
  public interface Owner {

    /** A request came that is no repeat; ACKs too. */
    void requested(Phone phone, SipText request);
  }

  /** Who waits for the answers to a request. */
  public interface Answers {

    /** Each response, repeats of a 2xx to INVITE too. */
    void answered(SipText response);

    /** No final response came in time. */
    void timedOut();
  }

  private final PhoneLoop loop;
  private final Line line;
  private final RtpPort rtp;
  private final String user;
  private final Address edge;
  private final Random random;
  private final Owner owner;
  private final String domain;

  private final Map<String, Asked> asked = new LinkedHashMap<>();
  private final Map<String, Served> served = new LinkedHashMap<>();
  private final List<String> journal = new ArrayList<>();

  private String callId = "";
  private final String tag;
  private String local = "";
  private String remote = "";
  private String target = "";
  private long cseq;
  private long registerCseq;
  private boolean closed;
  private long markNs;
  private long firstSentNs;
  private long firstHeardNs;
  private final List<String> callBranches = new ArrayList<>();

  /** A request of ours. */
  private static final class Asked {
    final SipText request;
    final Answers answers;
    boolean provisional;
    boolean done;
    PhoneLoop.@Nullable Timer repeat;
    PhoneLoop.@Nullable Timer end;

    Asked(SipText request, Answers answers) {
      this.request = request;
      this.answers = answers;
    }

    void stop() {
      done = true;
      if (repeat != null) {
        repeat.cancel();
      }
      if (end != null) {
        end.cancel();
      }
    }
  }

  /** A request of the edge. */
  private static final class Served {
    final SipText request;
    final Consumer<byte[]> back;
    @Nullable SipText last;
    boolean acknowledged;
    PhoneLoop.@Nullable Timer repeat;

    Served(SipText request, Consumer<byte[]> back) {
      this.request = request;
      this.back = back;
    }

    void acknowledge() {
      acknowledged = true;
      if (repeat != null) {
        repeat.cancel();
      }
    }

    boolean isOpen() {
      if (last == null || last.status() < 200) {
        return true;
      }
      return request.method().equals("INVITE") && !acknowledged;
    }
  }

  /**
   * Opens its sockets.
   *
   * @param ip where they are
   * @param edge the shared address
   */
  public Phone(
      PhoneLoop loop,
      boolean overTcp,
      String ip,
      InetSocketAddress edge,
      String user,
      Random random,
      Owner owner)
      throws IOException {
    this.loop = loop;
    this.user = user;
    this.edge = Address.of(edge);
    this.random = random;
    this.owner = owner;
    this.domain = this.edge.host();
    this.tag = token();
    this.rtp = new RtpPort(loop, ip, random.nextInt());
    var listener =
        new Line.Listener() {
          @Override
          public void heard(SipText message, Consumer<byte[]> back) {
            received(message, back);
          }

          @Override
          public void connected() {
            // A phone that lost its connection tells the registrar where it is now (RFC 5626 4.5).
            register(() -> {}, why -> note("not registered again: " + why));
          }
        };
    this.line =
        overTcp
            ? new TcpLine(loop, ip, edge, listener, random)
            : new UdpLine(loop, ip, edge, listener);
  }

  private String token() {
    return Long.toHexString(random.nextLong());
  }

  public String user() {
    return user;
  }

  /** Of its call, once it has one. */
  public String callId() {
    return callId;
  }

  // --- requests -------------------------------------------------------------------------------

  /** Registers, or renews. */
  public void register(Runnable done, Consumer<String> failed) {
    registerCseq++;
    String self = "<sip:" + user + "@" + domain + ">";
    SipText request =
        SipText.of(
            "REGISTER sip:" + domain + " SIP/2.0",
            List.of(
                via("z9hG4bK" + token()),
                new Field("Max-Forwards", "70"),
                new Field("From", self + ";tag=r" + tag),
                new Field("To", self),
                new Field("Call-ID", "register-" + tag),
                new Field("CSeq", registerCseq + " REGISTER"),
                new Field("Contact", "<sip:" + user + "@" + line.contact() + ">"),
                new Field("Expires", "3600")));
    ask(
        request,
        new Answers() {
          @Override
          public void answered(SipText response) {
            if (response.status() / 100 == 2) {
              done.run();
            } else if (response.status() >= 300) {
              failed.accept(response.start());
            }
          }

          @Override
          public void timedOut() {
            failed.accept("no answer");
          }
        });
  }

  /** Calls a user of the edge. */
  public void invite(String callee, Answers answers) {
    callId = token() + "@" + user;
    local = "<sip:" + user + "@" + domain + ">;tag=" + tag;
    remote = "<sip:" + callee + "@" + domain + ">";
    target = "sip:" + callee + "@" + edge;
    ask(offering("INVITE"), answers);
  }

  /** A re-INVITE with the same offer. */
  public void reinvite(Answers answers) {
    ask(offering("INVITE"), answers);
  }

  public void bye(Answers answers) {
    ask(inDialog("BYE", "z9hG4bK" + token(), nextCseq()), answers);
  }

  /** Takes its INVITE back. */
  public void cancel(Answers answers) {
    SipText invite =
        asked.values().stream()
            .filter(each -> each.request.method().equals("INVITE") && !each.done)
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("Expected an INVITE that is open"))
            .request;
    ask(
        SipText.of(
            "CANCEL" + invite.start().substring("INVITE".length()),
            List.of(
                new Field("Via", invite.field("Via")),
                new Field("Max-Forwards", "70"),
                new Field("From", invite.field("From")),
                new Field("To", invite.field("To")),
                new Field("Call-ID", callId),
                new Field("CSeq", invite.cseq() + " CANCEL"))),
        answers);
  }

  /** Acknowledges a 2xx. */
  public void ack(SipText response) {
    transmit(inDialog("ACK", "z9hG4bK" + token(), response.cseq()));
  }

  private SipText offering(String method) {
    SipText bare = inDialog(method, "z9hG4bK" + token(), nextCseq());
    var fields = new ArrayList<>(bare.fields());
    fields.add(new Field("Allow", ALLOW));
    fields.add(new Field("Content-Type", "application/sdp"));
    return new SipText(bare.start(), fields, sdp());
  }

  private long nextCseq() {
    cseq++;
    return cseq;
  }

  private SipText inDialog(String method, String branch, long number) {
    return SipText.of(
        method + " " + target + " SIP/2.0",
        List.of(
            via(branch),
            new Field("Max-Forwards", "70"),
            new Field("From", local),
            new Field("To", remote),
            new Field("Call-ID", callId),
            new Field("CSeq", number + " " + method),
            new Field("Contact", "<sip:" + user + "@" + line.contact() + ">")));
  }

  private Field via(String branch) {
    return new Field("Via", line.via() + ";rport;branch=" + branch);
  }

  private String sdp() {
    Address at = rtp.local();
    String family = at.isV6() ? "IP6" : "IP4";
    return """
        v=0
        o=%1$s 1 1 IN %2$s %3$s
        s=-
        c=IN %2$s %3$s
        t=0 0
        m=audio %4$d RTP/AVP 0
        a=rtpmap:0 PCMU/8000
        a=ptime:20
        a=sendrecv
        """
        .formatted(user, family, at.ip(), at.port())
        .replace("\n", "\r\n");
  }

  private void ask(SipText request, Answers answers) {
    var transaction = new Asked(request, answers);
    asked.put(request.method() + " " + request.branch(), transaction);
    transmit(request);
    if (!line.isReliable()) {
      repeat(transaction, T1);
    }
    transaction.end = loop.after(TIMEOUT, () -> end(transaction));
  }

  private void repeat(Asked transaction, Duration pause) {
    transaction.repeat =
        loop.after(
            pause,
            () -> {
              boolean isInvite = transaction.request.method().equals("INVITE");
              if (closed || transaction.done || isInvite && transaction.provisional) {
                return;
              }
              transmit(transaction.request);
              Duration doubled = pause.multipliedBy(2);
              repeat(transaction, isInvite || doubled.compareTo(T2) < 0 ? doubled : T2);
            });
  }

  private void end(Asked transaction) {
    // An INVITE that rings may take as long as it takes.
    boolean rings = transaction.request.method().equals("INVITE") && transaction.provisional;
    if (!closed && !transaction.done && !rings) {
      transaction.stop();
      note("timed out: " + transaction.request);
      transaction.answers.timedOut();
    }
  }

  // --- responses ------------------------------------------------------------------------------

  /** Answers a request; a final answer to INVITE is repeated until its ACK. */
  public void respond(SipText request, int status, String reason, boolean withSdp) {
    Served transaction = served.get(request.method() + " " + request.branch());
    if (transaction == null || closed) {
      return;
    }
    var fields = new ArrayList<Field>(request.all("Via"));
    fields.add(new Field("From", request.field("From")));
    String to = request.field("To");
    fields.add(
        new Field("To", request.tag("To").isPresent() || status == 100 ? to : to + ";tag=" + tag));
    fields.add(new Field("Call-ID", request.callId()));
    fields.add(new Field("CSeq", request.field("CSeq")));
    if (status < 300) {
      fields.add(new Field("Contact", "<sip:" + user + "@" + line.contact() + ">"));
      fields.add(new Field("Allow", ALLOW));
    }
    if (status == 500) {
      fields.add(new Field("Retry-After", "2"));
    }
    if (withSdp) {
      fields.add(new Field("Content-Type", "application/sdp"));
    }
    SipText response =
        new SipText("SIP/2.0 " + status + " " + reason, fields, withSdp ? sdp() : "");
    transaction.last = response;
    reply(transaction);
    if (status >= 200 && request.method().equals("INVITE")) {
      repeatUntilAck(transaction, T1, System.nanoTime() + TIMEOUT.toNanos());
    }
  }

  private void reply(Served transaction) {
    SipText response = transaction.last;
    if (response != null) {
      sent(response);
      transaction.back.accept(response.octets());
    }
  }

  private void repeatUntilAck(Served transaction, Duration pause, long untilNs) {
    SipText last = transaction.last;
    if (last != null && last.status() >= 300 && line.isReliable()) {
      return;
    }
    transaction.repeat =
        loop.after(
            pause,
            () -> {
              if (closed || transaction.acknowledged || System.nanoTime() - untilNs > 0) {
                return;
              }
              reply(transaction);
              Duration doubled = pause.multipliedBy(2);
              repeatUntilAck(transaction, doubled.compareTo(T2) < 0 ? doubled : T2, untilNs);
            });
  }

  // --- what comes in --------------------------------------------------------------------------

  private void received(SipText message, Consumer<byte[]> back) {
    if (closed) {
      return;
    }
    note("<- " + message);
    if (markNs != 0 && firstHeardNs == 0 && !message.method().equals("REGISTER")) {
      firstHeardNs = System.nanoTime();
    }
    if (message.isRequest()) {
      request(message, back);
    } else {
      response(message);
    }
  }

  private void response(SipText response) {
    Asked transaction = asked.get(response.method() + " " + response.branch());
    if (transaction == null) {
      return;
    }
    boolean isInvite = response.method().equals("INVITE");
    int status = response.status();
    if (status < 200) {
      transaction.provisional = true;
    } else if (isInvite && status >= 300) {
      SipText asked = transaction.request;
      transmit(
          SipText.of(
              "ACK" + asked.start().substring("INVITE".length()),
              List.of(
                  new Field("Via", asked.field("Via")),
                  new Field("Max-Forwards", "70"),
                  new Field("From", asked.field("From")),
                  new Field("To", response.field("To")),
                  new Field("Call-ID", response.callId()),
                  new Field("CSeq", asked.cseq() + " ACK"))));
    }
    if (!transaction.done && (status == 401 || status == 407) && proves(transaction, response)) {
      return;
    }
    boolean isRepeat = transaction.done;
    if (status >= 200) {
      transaction.stop();
    }
    if (isInvite && status > 100 && status < 300) {
      remote = response.field("To");
      response.contact().ifPresent(uri -> target = uri);
      if (!isRepeat) {
        // What a repeat says may be older than an UPDATE that came meanwhile.
        response.audio().ifPresent(rtp::sendTo);
      }
    }
    if (!isRepeat || isInvite && status / 100 == 2) {
      transaction.answers.answered(response);
    }
  }

  /** Asks again with credentials, where it has not already (RFC 3261 22.2). */
  private boolean proves(Asked transaction, SipText response) {
    SipText request = transaction.request;
    String method = request.method();
    if (request.find("Authorization").isPresent()
        || request.find("Proxy-Authorization").isPresent()) {
      return false;
    }
    String uri = request.start().split(" ", 3)[1];
    Optional<Field> proof = Digest.answer(response, method, uri, user, PASSWORD, token());
    if (proof.isEmpty()) {
      return false;
    }
    transaction.stop();
    long number;
    if (method.equals("REGISTER")) {
      registerCseq++;
      number = registerCseq;
    } else {
      number = nextCseq();
    }
    var fields = new ArrayList<Field>();
    for (Field each : request.fields()) {
      fields.add(
          switch (each.name()) {
            case "Via" -> via("z9hG4bK" + token());
            case "CSeq" -> new Field("CSeq", number + " " + method);
            default -> each;
          });
    }
    fields.add(proof.get());
    ask(new SipText(request.start(), fields, request.body()), transaction.answers);
    return true;
  }

  private void request(SipText request, Consumer<byte[]> back) {
    String method = request.method();
    if (method.equals("ACK")) {
      acknowledged(request);
      return;
    }
    String key = method + " " + request.branch();
    Served known = served.get(key);
    if (known != null) {
      // A repeat gets the last answer, if there is one yet.
      reply(known);
      return;
    }
    remember(request);
    served.put(key, new Served(request, back));
    switch (method) {
      case "OPTIONS" -> respond(request, 200, "OK", false);
      case "UPDATE" -> update(request);
      case "INVITE" -> invited(request);
      default -> owner.requested(this, request);
    }
  }

  private void remember(SipText request) {
    if (callBranches.size() < BRANCHES) {
      callBranches.add(request.branch());
    }
  }

  private void update(SipText request) {
    boolean hasOffer = request.audio().isPresent();
    request.audio().ifPresent(rtp::sendTo);
    respond(request, 200, "OK", hasOffer);
  }

  private void invited(SipText request) {
    if (callId.isEmpty()) {
      callId = request.callId();
      local = request.field("To") + ";tag=" + tag;
      remote = request.field("From");
      request.contact().ifPresent(uri -> target = uri);
      request.audio().ifPresent(rtp::sendTo);
      owner.requested(this, request);
      return;
    }
    if (asked.values().stream()
        .anyMatch(each -> each.request.method().equals("INVITE") && !each.done)) {
      // RFC 3261 14.2: one that has sent one and waits for its answer.
      respond(request, 491, "Request Pending", false);
      return;
    }
    boolean busy =
        served.values().stream()
            .anyMatch(
                each ->
                    !each.request.branch().equals(request.branch())
                        && each.request.method().equals("INVITE")
                        && (each.last == null || each.last.status() < 200));
    if (busy) {
      respond(request, 500, "Request Pending", false);
      return;
    }
    request.contact().ifPresent(uri -> target = uri);
    request.audio().ifPresent(rtp::sendTo);
    owner.requested(this, request);
  }

  private void acknowledged(SipText ack) {
    boolean first = false;
    for (Served each : served.values()) {
      if (each.request.method().equals("INVITE")
          && each.request.cseq() == ack.cseq()
          && each.last != null
          && each.last.status() >= 200) {
        first |= !each.acknowledged;
        each.acknowledge();
      }
    }
    if (first) {
      ack.audio().ifPresent(rtp::sendTo);
      owner.requested(this, ack);
    }
  }

  // --- what is measured -----------------------------------------------------------------------

  private void transmit(SipText message) {
    if (!closed) {
      sent(message);
      line.send(message.octets());
    }
  }

  private void sent(SipText message) {
    note("-> " + message);
    if (markNs != 0 && firstSentNs == 0 && !message.method().equals("REGISTER")) {
      firstSentNs = System.nanoTime();
    }
  }

  private void note(String line) {
    if (journal.size() < JOURNAL) {
      journal.add("%9.3f %s %s".formatted((System.nanoTime() - START_NS) / 1e9, user, line));
    }
  }

  /** From now on first messages and silence are measured anew. */
  public void mark() {
    markNs = System.nanoTime();
    firstSentNs = 0;
    firstHeardNs = 0;
    rtp.measure();
  }

  /** When it first sent something of the call since the mark; 0 if it has not. */
  public long firstSentNs() {
    return firstSentNs;
  }

  /** When it first heard something of the call since the mark; 0 if it has not. */
  public long firstHeardNs() {
    return firstHeardNs;
  }

  /** Packets of the other phone that were heard so far. */
  public long packetsHeard() {
    return rtp.heard();
  }

  /** Packets of the other phone that did not come, since the mark. */
  public long packetsMissing() {
    return rtp.missing();
  }

  /** The longest silence since the mark, up to now. */
  public long longestGapNs() {
    return rtp.longestGapNs();
  }

  /** How often its connection has broken. */
  public int breaks() {
    return line.breaks();
  }

  /** How many messages came from another address than the edge's. */
  public int foreign() {
    return line instanceof UdpLine udp ? udp.foreign() : 0;
  }

  /** Whether a request of one side waits for the other. */
  public boolean hasOpenTransaction() {
    return asked.values().stream()
            .anyMatch(each -> !each.done && !each.request.method().equals("REGISTER"))
        || served.values().stream().anyMatch(Served::isOpen);
  }

  /** The branches of the edge's requests of the call, the last one last. */
  public List<String> branches() {
    return List.copyOf(callBranches);
  }

  /** What it sent and heard. */
  public List<String> journal() {
    return List.copyOf(journal);
  }

  /** Closes its sockets and stops its timers. */
  public void close() {
    closed = true;
    line.close();
    rtp.close();
    asked.values().forEach(Asked::stop);
  }
}
