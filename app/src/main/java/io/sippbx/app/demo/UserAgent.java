package io.sippbx.app.demo;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.auth.DigestChallenge;
import io.sippbx.control.sip.auth.DigestClient;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transaction.ClientTransactionId;
import io.sippbx.control.sip.transaction.Failure;
import io.sippbx.control.sip.transaction.ServerEnd;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.control.sip.transaction.TransactionLayer;
import io.sippbx.control.sip.transaction.TransactionLimits;
import io.sippbx.control.sip.transaction.TransactionUser;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.ListenException;
import io.sippbx.control.sip.transport.Listener;
import io.sippbx.control.sip.transport.MessageTracer;
import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.control.sip.transport.NettySipTransport;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.sip.transport.SipReceiver;
import io.sippbx.control.sip.transport.TransportLimits;
import io.sippbx.control.sip.transport.TransportSettings;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * The SIP stack of one phone: one loop, one socket, its transactions, and its answers to digest
 * challenges. All but {@link #open} and {@link #close} on its loop.
 */
final class UserAgent implements AutoCloseable {

  /** What comes of a request that was sent. */
  interface Exchange {
    /** A provisional response above 100. */
    void provisional(SipResponse response);

    /**
     * A final response; to an INVITE also each repeat of a 2xx.
     *
     * @param sent the request that it answers: the last one, if a challenge was answered
     */
    void answered(SipRequest sent, SipResponse response);

    /** There will be none; why, as the end of a sentence that begins with the method. */
    void failed(String why);
  }

  /** What the other side asks for. */
  interface Calls {
    /** A request that waits for {@link UserAgent#respond}. */
    void requested(ServerTransactionId id, SipRequest request);

    /** A CANCEL; it has been answered. */
    void cancelled(ServerTransactionId invite);

    /** An ACK for a 2xx. */
    void acknowledged(SipRequest ack);
  }

  private record Open(SipRequest request, Destination to, Exchange exchange, int challenges) {}

  private static final int MAX_OPEN = 64;
  // One, and one more for a nonce that has become stale in between.
  private static final int MAX_CHALLENGES = 2;
  private static final TransactionLimits LIMITS =
      new TransactionLimits(MAX_OPEN, MAX_OPEN, MAX_OPEN, Duration.ofMinutes(2));
  private static final int MAX_CONNECTIONS = 4;
  private static final TransportLimits TRANSPORT_LIMITS =
      TransportLimits.DEFAULT.withTcp(
          TransportLimits.Tcp.DEFAULT.withConnections(
              MAX_CONNECTIONS, MAX_CONNECTIONS, MAX_CONNECTIONS));
  private static final Duration CLOSE_WITHIN = Duration.ofSeconds(2);

  private final Account account;
  private final Tokens tokens;
  private final NettyLoops loops;
  private final NettySipTransport transport;
  private final TransactionLayer transactions;
  private final Endpoint local;
  private final Calls calls;
  private final Map<ClientTransactionId, Open> open = new LinkedHashMap<>();
  private final AtomicInteger challengesAnswered = new AtomicInteger();

  private UserAgent(
      Account account,
      Tokens tokens,
      NettyLoops loops,
      NettySipTransport transport,
      Function<UserAgent, Calls> calls) {
    this.account = account;
    this.tokens = tokens;
    this.loops = loops;
    this.transport = transport;
    this.local = transport.listeners().getFirst().bind();
    this.transactions =
        new TransactionLayer(loop(), transport, new Told(), TimerSettings.RFC_3261, LIMITS);
    this.calls = calls.apply(this);
  }

  /**
   * Binds a socket of the account's transport and listens.
   *
   * @param tracer sees every message
   * @param calls makes what is told of requests
   */
  static UserAgent open(
      Account account,
      IpAddress ip,
      Tokens tokens,
      MessageTracer tracer,
      Function<UserAgent, Calls> calls)
      throws ListenException {
    NettyLoops loops = NettyLoops.start(1);
    try {
      Listener listener = Listener.on(account.protocol(), new Endpoint(ip, 0));
      NettySipTransport transport =
          NettySipTransport.bind(
              loops, TransportSettings.of(List.of(listener)).withLimits(TRANSPORT_LIMITS));
      transport.trace(tracer);
      var agent = new UserAgent(account, tokens, loops, transport, calls);
      transport.start(agent.new Received());
      return agent;
    } catch (ListenException e) {
      loops.close(CLOSE_WITHIN);
      throw e;
    }
  }

  /** The loop that all is done on. */
  Loop loop() {
    return loops.loops().all().getFirst();
  }

  /** Where it listens. */
  Endpoint local() {
    return local;
  }

  /** Challenges that were answered so far. Any thread. */
  int challengesAnswered() {
    return challengesAnswered.get();
  }

  /** A Via for a new request. */
  Via via() {
    return Via.of(account.protocol(), local, new Branch(Branch.MAGIC_COOKIE + tokens.next()))
        .withRportRequested();
  }

  /** Where this phone is reached. */
  NameAddr contact() {
    SipUri uri = SipUri.of(account.user(), local);
    return NameAddr.of(
        account.protocol() == TransportProtocol.UDP
            ? uri
            : uri.withParam("transport", account.protocol().uriParameter()));
  }

  /** Sends a request, and again with credentials if the other side asks who we are. */
  void send(SipRequest request, Exchange exchange) {
    send(new Open(request, destination(request), exchange, 0));
  }

  private void send(Open each) {
    open.put(transactions.request(each.request(), each.to()), each);
    if (open.size() > MAX_OPEN) {
      open.remove(open.keySet().iterator().next());
    }
  }

  /** Sends the ACK for a 2xx. */
  void sendAck(SipRequest ack) {
    transactions.sendStateless(ack, destination(ack));
  }

  /** Answers a request; a 2xx to INVITE may be sent again and again. */
  void respond(ServerTransactionId id, SipResponse response) {
    transactions.respond(id, response);
  }

  /**
   * A request in a dialog goes where its Request-URI, or its topmost Route, points (12.2.1.1), any
   * other to the edge, which serves the domain.
   */
  private Destination destination(SipRequest request) {
    Uri next = request.routes().stream().findFirst().map(NameAddr::uri).orElse(request.uri());
    Endpoint remote = account.edge();
    if (next instanceof SipUri sip && sip.hostIp().isPresent()) {
      remote =
          new Endpoint(sip.hostIp().get(), sip.port().orElse(account.protocol().defaultPort()));
    }
    return Destination.to(account.protocol(), remote);
  }

  /** The request again with an answer to the challenge (22.2), if it can be answered. */
  private Optional<SipRequest> withCredentials(SipRequest request, SipResponse challenged) {
    boolean byProxy = challenged.status() == 407;
    Optional<DigestChallenge> challenge =
        DigestClient.choose(
            challenged.headers(
                byProxy ? HeaderName.PROXY_AUTHENTICATE : HeaderName.WWW_AUTHENTICATE));
    return challenge.map(
        each ->
            request.toBuilder()
                .replaceTopVia(via())
                .cSeq(request.cSeq().number() + 1)
                .header(
                    byProxy ? HeaderName.PROXY_AUTHORIZATION : HeaderName.AUTHORIZATION,
                    DigestClient.authorize(
                        each, account.login(), request.method(), request.uri(), tokens.next(), 1))
                .build());
  }

  /** Ends all at once: what is under way is forgotten. */
  @Override
  public void close() {
    transport.close();
    loops.close(CLOSE_WITHIN);
  }

  private final class Received implements SipReceiver {
    @Override
    public void received(SipMessage message, Flow flow) {
      transactions.receive(message, flow);
    }

    @Override
    public void malformed(ParseResult.Malformed malformed, Flow flow) {
      // It is in the ladder; what was waited for does not come.
    }
  }

  private final class Told implements TransactionUser {
    @Override
    public void request(ServerTransactionId id, SipRequest request, Flow flow) {
      calls.requested(id, request);
    }

    @Override
    public void cancel(
        ServerTransactionId id,
        SipRequest cancel,
        Flow flow,
        Optional<ServerTransactionId> invite) {
      transactions.respond(
          id, SipResponse.to(cancel, invite.isPresent() ? 200 : 481).toTag(tokens.tag()).build());
      invite.ifPresent(calls::cancelled);
    }

    @Override
    public void ack(SipRequest ack, Flow flow) {
      calls.acknowledged(ack);
    }

    @Override
    public void response(ClientTransactionId id, SipResponse response, Flow flow) {
      Open each = open.get(id);
      if (each == null) {
        return;
      }
      if (response.isProvisional()) {
        if (response.status() > 100) {
          each.exchange().provisional(response);
        }
        return;
      }
      // An INVITE that was accepted stays: its 200 may come again.
      if (!(response.isSuccess() && id.method().equals(Method.INVITE))) {
        open.remove(id);
      }
      boolean challenged = response.status() == 401 || response.status() == 407;
      Optional<SipRequest> again =
          challenged && each.challenges() < MAX_CHALLENGES
              ? withCredentials(each.request(), response)
              : Optional.empty();
      if (again.isPresent()) {
        challengesAnswered.incrementAndGet();
        send(new Open(again.get(), each.to(), each.exchange(), each.challenges() + 1));
      } else {
        each.exchange().answered(each.request(), response);
      }
    }

    @Override
    public void failed(ClientTransactionId id, Failure failure) {
      Open each = open.remove(id);
      if (each != null) {
        each.exchange()
            .failed(
                switch (failure) {
                  case TIMEOUT -> "was not answered";
                  case TRANSPORT -> "could not be sent to " + each.to().remote();
                  case LIMIT -> "was one request too many";
                });
      }
    }

    @Override
    public void strayResponse(SipResponse response, Flow flow) {
      // It is in the ladder, and belongs to nothing.
    }

    @Override
    public void serverTransactionEnded(ServerTransactionId id, ServerEnd end) {
      // What was waited for does not come, and the script says so.
    }

    @Override
    public void responseNotSent(ServerTransactionId id, SendFailure failure) {
      // The other side repeats its request.
    }

    @Override
    public void refused(SipRequest request, Flow flow) {
      // The other side repeats its request.
    }
  }
}
