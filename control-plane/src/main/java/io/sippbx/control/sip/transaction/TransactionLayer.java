package io.sippbx.control.sip.transaction;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transaction.Counters.Counter;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.sip.transport.SipTransport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The transactions of one loop: matches what is received to them, keeps their timers, sends again
 * what was lost, and tells the {@link TransactionUser} each thing once.
 *
 * <p>Confined to its loop but for {@link #counts}; there is one instance a loop, and what belongs
 * to one INVITE (its repeats, ACK and CANCEL) must come to the same one. It answers nothing by
 * itself: no 100 to an INVITE (law 2 of the design), no 481, no 503. The repeats of a 2xx to INVITE
 * are the transaction user's (RFC 3261 13.3.1.4), through {@link #respond}.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-17">RFC 3261 17</a>, RFC 6026
 */
public final class TransactionLayer {

  private final Loop loop;
  private final SipTransport transport;
  private final TransactionUser user;
  private final TransactionLimits limits;

  private final InviteClientTransaction inviteClient;
  private final InviteClientTransaction inviteClientReliable;
  private final NonInviteClientTransaction nonInviteClient;
  private final NonInviteClientTransaction nonInviteClientReliable;
  private final InviteServerTransaction inviteServer;
  private final InviteServerTransaction inviteServerReliable;
  private final NonInviteServerTransaction nonInviteServer;
  private final NonInviteServerTransaction nonInviteServerReliable;

  private final Map<ClientTransactionId, OpenClient> clients = new LinkedHashMap<>();
  private final Map<ServerTransactionId, OpenServer> servers = new LinkedHashMap<>();
  private final Counters counters = new Counters();

  /** A layer without transactions. */
  public TransactionLayer(
      Loop loop,
      SipTransport transport,
      TransactionUser user,
      TimerSettings timers,
      TransactionLimits limits) {
    this.loop = loop;
    this.transport = transport;
    this.user = user;
    this.limits = limits;
    this.inviteClient = new InviteClientTransaction(timers, false);
    this.inviteClientReliable = new InviteClientTransaction(timers, true);
    this.nonInviteClient = new NonInviteClientTransaction(timers, false);
    this.nonInviteClientReliable = new NonInviteClientTransaction(timers, true);
    this.inviteServer = new InviteServerTransaction(timers, false);
    this.inviteServerReliable = new InviteServerTransaction(timers, true);
    this.nonInviteServer = new NonInviteServerTransaction(timers, false);
    this.nonInviteServerReliable = new NonInviteServerTransaction(timers, true);
  }

  /** A message from the network. */
  public void receive(SipMessage message, Flow flow) {
    checkLoop();
    switch (message) {
      case SipRequest request -> receive(request, flow);
      case SipResponse response -> receive(response, flow);
    }
  }

  /**
   * Begins a client transaction and sends the request; its end is told by {@link
   * TransactionUser#response} or {@link TransactionUser#failed}, never within this call. If it is
   * open already, nothing happens.
   *
   * <p>A CANCEL also bounds how long the INVITE with the same branch may still wait (9.1).
   *
   * @param request with our Via on top, whose branch is unique; not an ACK
   */
  public ClientTransactionId request(SipRequest request, Destination to) {
    return request(request, to, SendPermit.ALWAYS);
  }

  /**
   * The same for one who may lose the right to send.
   *
   * @param permit asked before each sending, unless the request only ends
   */
  public ClientTransactionId request(SipRequest request, Destination to, SendPermit permit) {
    return open(request, to, OpenClient::start, permit);
  }

  /**
   * Goes on with a client transaction that another node, or this one before a restart, began: the
   * same request is sent again, and the peer repeats its last response. If it is open already,
   * nothing happens.
   *
   * @param request the bytes that were sent
   * @param remaining until the recorded deadline of the first response to INVITE, or of the final
   *     response to another request; zero or less fails at once
   */
  public ClientTransactionId resumeClient(SipRequest request, Destination to, Duration remaining) {
    return resumeClient(request, to, remaining, SendPermit.ALWAYS);
  }

  /**
   * The same for one who may lose the right to send.
   *
   * @param permit asked before each sending, unless the request only ends
   */
  public ClientTransactionId resumeClient(
      SipRequest request, Destination to, Duration remaining, SendPermit permit) {
    return open(request, to, client -> client.resume(remaining), permit);
  }

  /**
   * Goes on with the transaction of an INVITE that another node, or this one before a restart,
   * began and cancelled: nothing is sent, but its final response is heard and acknowledged. The
   * CANCEL is to be resumed after it, which bounds how long that is waited for.
   *
   * @param invite the bytes that were sent
   * @param permit of who may lose what it is for
   */
  public ClientTransactionId awaitFinal(SipRequest invite, Destination to, SendPermit permit) {
    if (!invite.method().equals(Method.INVITE)) {
      throw new IllegalArgumentException("Expected an INVITE, but got " + invite.method());
    }
    return open(invite, to, client -> ((OpenInviteClient) client).await(), permit);
  }

  /**
   * Goes on with a server transaction that another node, or this one before a restart, began. If it
   * is open already, nothing happens.
   *
   * @param lastResponse the last one that may have been sent, from which the state follows. A final
   *     one is sent again at once, as nobody knows whether it was heard, except a 2xx to INVITE,
   *     which is the transaction user's to repeat
   * @return false if there is no room
   */
  public boolean resumeServer(
      ServerTransactionId id, Flow flow, Optional<SipResponse> lastResponse) {
    return resumeServer(id, flow, lastResponse, SendPermit.ALWAYS);
  }

  /**
   * The same for one who may lose the right to send.
   *
   * @param permit asked before a final response is sent again by a timer
   */
  public boolean resumeServer(
      ServerTransactionId id, Flow flow, Optional<SipResponse> lastResponse, SendPermit permit) {
    checkLoop();
    if (servers.containsKey(id)) {
      return true;
    }
    if (servers.size() >= limits.servers() + limits.reserve()) {
      counters.count(Counter.REFUSED_REQUESTS);
      return false;
    }
    OpenServer server = newServer(id, flow);
    server.permit = permit;
    server.resume(lastResponse.orElse(null));
    return true;
  }

  /**
   * Responds to a request. A 2xx to INVITE may be given again and again while its transaction
   * lives.
   *
   * @return false if the transaction is over, or has had its final response
   */
  public boolean respond(ServerTransactionId id, SipResponse response) {
    return respond(id, response, SendPermit.ALWAYS);
  }

  /**
   * The same for one who may lose the right to send.
   *
   * @param permit asked before a final response is sent again by a timer
   */
  public boolean respond(ServerTransactionId id, SipResponse response, SendPermit permit) {
    checkLoop();
    if (!response.cSeq().method().equals(id.method())) {
      throw new IllegalArgumentException(
          "Expected a response to " + id + ", but its CSeq is " + response.cSeq());
    }
    OpenServer server = servers.get(id);
    if (server != null) {
      server.permit = permit;
    }
    boolean taken = server != null && server.respond(response);
    if (!taken) {
      counters.count(Counter.LATE_ANSWERS);
    }
    return taken;
  }

  /** Sends a request that has no transaction: the ACK for a 2xx (13.2.2.4). */
  public void sendStateless(SipRequest request, Destination to) {
    checkLoop();
    transport.send(request, to, this::statelessFailed);
  }

  /**
   * Acknowledges a final response of 300 to 699 to an INVITE, for a user that {@linkplain
   * TransactionUser#acknowledgesLater does so later}.
   *
   * @param invite that it answers, where that is known: needed only if the transaction is gone
   * @param to where the INVITE was sent
   */
  public void acknowledge(SipResponse response, Optional<SipRequest> invite, Destination to) {
    checkLoop();
    OpenClient client = ClientTransactionId.of(response).map(clients::get).orElse(null);
    if (client instanceof OpenInviteClient open) {
      open.acknowledged(response);
    } else if (invite.isPresent()) {
      sendStateless(FailureAck.of(invite.get(), response), to);
    }
  }

  /** Drops a client transaction without a word: its responses become stray. */
  public void forget(ClientTransactionId id) {
    checkLoop();
    OpenClient client = clients.get(id);
    if (client != null) {
      client.forget();
    }
  }

  /** Drops a server transaction without a word: a repeat of its request becomes a new one. */
  public void forget(ServerTransactionId id) {
    checkLoop();
    OpenServer server = servers.get(id);
    if (server != null) {
      server.forget();
    }
  }

  /** Drops all transactions that ask this permit: who held it has lost what they were for. */
  public void forgetAll(SendPermit permit) {
    checkLoop();
    List<OpenTransaction> all = new ArrayList<>(clients.values());
    all.addAll(servers.values());
    for (OpenTransaction each : all) {
      if (each.permit.equals(permit)) {
        each.forget();
      }
    }
  }

  /** Whether the client transaction is open. */
  public boolean holds(ClientTransactionId id) {
    checkLoop();
    return clients.containsKey(id);
  }

  /** Whether the server transaction is open. */
  public boolean holds(ServerTransactionId id) {
    checkLoop();
    return servers.containsKey(id);
  }

  /** What was done so far. From any thread; the figures are each right, but not of one instant. */
  public TransactionCounts counts() {
    return counters.snapshot();
  }

  private void receive(SipRequest request, Flow flow) {
    ServerTransactionId id = ServerTransactionId.of(request);
    OpenServer server = servers.get(id);
    if (request.method().equals(Method.ACK)) {
      if (server instanceof OpenInviteServer invite && invite.matches(request)) {
        invite.ack(request, flow);
      } else {
        user.ack(request, flow);
      }
      return;
    }
    if (server != null) {
      server.repeated(flow);
      return;
    }
    if (servers.size() >= limits.servers() + reserve(id.method())) {
      counters.count(Counter.REFUSED_REQUESTS);
      user.refused(request, flow);
      return;
    }
    newServer(id, flow).start(request);
  }

  private void receive(SipResponse response, Flow flow) {
    Optional<ClientTransactionId> id = ClientTransactionId.of(response);
    // With more than one Via it has strayed to us, who never forward (8.1.3.3).
    if (id.isEmpty() || response.headers(HeaderName.VIA).size() > 1) {
      counters.count(Counter.MALFORMED);
      return;
    }
    OpenClient client = clients.get(id.get());
    if (client == null) {
      counters.count(Counter.STRAY_RESPONSES);
      user.strayResponse(response, flow);
    } else {
      client.response(response, flow);
    }
  }

  private ClientTransactionId open(
      SipRequest request, Destination to, Consumer<OpenClient> begin, SendPermit permit) {
    checkLoop();
    ClientTransactionId id =
        ClientTransactionId.of(request)
            .orElseThrow(
                () -> new IllegalArgumentException("Expected a branch in the Via of " + request));
    if (id.method().equals(Method.ACK)) {
      throw new IllegalArgumentException("Expected a request that is answered, but got an ACK");
    }
    if (clients.containsKey(id)) {
      return id;
    }
    if (clients.size() >= limits.clients() + reserve(id.method())) {
      counters.count(Counter.REFUSED_SENDS);
      loop.execute(() -> user.failed(id, Failure.LIMIT));
      return id;
    }
    OpenClient client = newClient(id, request, to);
    client.permit = onlyEnds(id.method()) ? SendPermit.ALWAYS : permit;
    clients.put(id, client);
    counters.begun(client.kind);
    begin.accept(client);
    if (id.method().equals(Method.CANCEL)
        && clients.get(new ClientTransactionId(id.branch(), Method.INVITE))
            instanceof OpenInviteClient invite) {
      invite.cancelled();
    }
    return id;
  }

  private OpenClient newClient(ClientTransactionId id, SipRequest request, Destination to) {
    boolean reliable = to.protocol().isReliable();
    return id.method().equals(Method.INVITE)
        ? new OpenInviteClient(
            this, reliable ? inviteClientReliable : inviteClient, id, request, to)
        : new OpenNonInviteClient(
            this, reliable ? nonInviteClientReliable : nonInviteClient, id, request, to);
  }

  private OpenServer newServer(ServerTransactionId id, Flow flow) {
    boolean reliable = flow.protocol().isReliable();
    OpenServer server =
        id.method().equals(Method.INVITE)
            ? new OpenInviteServer(this, reliable ? inviteServerReliable : inviteServer, id, flow)
            : new OpenNonInviteServer(
                this, reliable ? nonInviteServerReliable : nonInviteServer, id, flow);
    servers.put(id, server);
    counters.begun(server.kind);
    return server;
  }

  private int reserve(Method method) {
    return onlyEnds(method) ? limits.reserve() : 0;
  }

  private static boolean onlyEnds(Method method) {
    return method.equals(Method.BYE) || method.equals(Method.CANCEL);
  }

  private void statelessFailed(SendFailure failure) {
    loop.execute(() -> counters.count(Counter.TRANSPORT_FAILURES));
  }

  private void checkLoop() {
    if (!loop.inLoop()) {
      throw new IllegalStateException("Expected to be called on the loop of these transactions");
    }
  }

  // What transactions ask for.

  Loop loop() {
    return loop;
  }

  TransactionUser user() {
    return user;
  }

  TransactionLimits limits() {
    return limits;
  }

  void count(Counter counter) {
    counters.count(counter);
  }

  void send(OpenClient client, SipRequest request, Destination to) {
    transport.send(request, to, failure -> sendFailed(client, failure));
  }

  void send(OpenServer server, SipResponse response, Flow flow) {
    transport.send(response, flow, failure -> sendFailed(server, failure));
  }

  void passUp(ServerTransactionId id, SipRequest request, Flow flow) {
    if (request.method().equals(Method.ACK)) {
      user.ack(request, flow);
    } else if (request.method().equals(Method.CANCEL)) {
      ServerTransactionId invite = id.ofInvite();
      user.cancel(
          id, request, flow, servers.containsKey(invite) ? Optional.of(invite) : Optional.empty());
    } else {
      user.request(id, request, flow);
    }
  }

  void remove(OpenTransaction transaction) {
    switch (transaction) {
      case OpenClient client -> clients.remove(client.id);
      case OpenServer server -> servers.remove(server.id);
    }
    counters.ended(transaction.kind);
  }

  private void sendFailed(OpenTransaction transaction, SendFailure failure) {
    // On whatever thread: take it to ours, and out of any call that is under way.
    loop.execute(
        () -> {
          counters.count(Counter.TRANSPORT_FAILURES);
          // One that is over absorbs it.
          transaction.transportFailed(failure);
        });
  }
}
