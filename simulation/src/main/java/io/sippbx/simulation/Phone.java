package io.sippbx.simulation;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.CSeq;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Tag;
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
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.shared.net.Endpoint;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A user agent with transactions of the real kind and a plan for each call. It holds up its end of
 * RFC 3261: it repeats its 2xx until the ACK and hangs up where none comes, acknowledges each 2xx,
 * answers BYE, refuses a re-INVITE that crosses its own. What it believes of each call is told.
 */
final class Phone implements TransactionUser {

  /** Which planned call an INVITE belongs to; an extension header is passed to the callee. */
  static final HeaderName PLAN = HeaderName.of("X-Simulated-Call");

  private static final TimerSettings TIMERS = TimerSettings.RFC_3261;
  static final int FOR_AN_HOUR_S = 3_600;

  /** Who is told what phones believe and see. */
  interface Observer {
    /** A phone takes the call for up. */
    void up(int call, Phone phone, boolean caller);

    /** A phone takes the call for over. */
    void over(int call, Phone phone, boolean caller);

    /** A 2xx of a phone was never acknowledged. */
    void notAcknowledged(int call, Phone phone, long cSeq);

    /** An INVITE that a phone rings by is valid no more, and nobody has told it that it is over. */
    void expired(int call, Phone phone, SipRequest invite);

    /** A request of a phone got this answer. */
    void answered(Phone phone, SipResponse response);
  }

  /** What an INVITE holds. */
  enum Offer {
    SESSION,
    /** The offer is the callee's. */
    NONE,
    /** Nothing that could be understood. */
    GARBAGE
  }

  /** A call as this phone sees it; what is not known yet is set by who makes it. */
  @SuppressWarnings("NullAway.Init")
  static final class Dialog {
    final int call;
    final CallId callId;
    final boolean caller;
    NameAddr local;
    NameAddr remote;
    Uri target;
    long cSeq;
    boolean confirmed;
    boolean over;
    boolean cancelled;
    boolean acknowledges = true;
    boolean forgets;
    boolean inviting;
    boolean hangsUpOnAck;
    int finalStatus;
    SipRequest invite;
    ServerTransactionId inviteTransaction;
    SipResponse ok;
    Loop.@Nullable Timer repeat;

    /** The second of two that answered, where a re-INVITE has reached it. */
    @Nullable Dialog second;

    final List<Runnable> whenUp = new ArrayList<>();

    Dialog(int call, CallId callId, boolean caller) {
      this.call = call;
      this.callId = callId;
      this.caller = caller;
    }
  }

  private final String name;
  private final VirtualLoop loop;
  private final Endpoint edge;
  private final Network.Host host;
  private final Endpoint address;
  private final TransactionLayer transactions;
  private final Plans plans;
  private final Observer observer;
  private final Map<CallId, Dialog> dialogs = new LinkedHashMap<>();
  private int counter;

  /** Knows what is planned for a call. */
  interface Plans {
    PlannedCall of(int number);

    /** To whom callers are sent on. */
    Endpoint deputy();
  }

  Phone(
      String name,
      VirtualLoop loop,
      Endpoint address,
      Endpoint edge,
      Network network,
      Plans plans,
      Observer observer) {
    this.name = name;
    this.loop = loop;
    this.edge = edge;
    this.address = address;
    this.plans = plans;
    this.observer = observer;
    this.host = network.attach(name, address, this::receive);
    this.transactions = new TransactionLayer(loop, host, this, TIMERS, TransactionLimits.DEFAULT);
  }

  private void receive(SipMessage message, Flow flow) {
    loop.execute(() -> transactions.receive(message, flow));
  }

  String name() {
    return name;
  }

  /** The loop on which everything must be asked of this phone. */
  VirtualLoop loop() {
    return loop;
  }

  Network.Host host() {
    return host;
  }

  /** Transactions that are open. */
  long open() {
    return transactions.counts().live().total();
  }

  /** Makes a user known at a host, which may be a name. */
  void register(String user, String contactHost) {
    loop.execute(
        () -> {
          counter++;
          NameAddr self = NameAddr.of(SipUri.of(user, edge));
          transactions.request(
              SipRequest.builder(Method.REGISTER, SipUri.of(edge))
                  .via(via(Method.REGISTER))
                  .maxForwards(70)
                  .from(self.withTag(new Tag("reg" + counter)))
                  .to(self)
                  .callId(new CallId("reg-" + counter + "@" + address.ip()))
                  .cSeq(new CSeq(1, Method.REGISTER))
                  .contact(NameAddr.of(SipUri.of(user, address).withHost(contactHost)))
                  .expires(FOR_AN_HOUR_S)
                  .build(),
              toEdge());
        });
  }

  private Destination toEdge() {
    return Destination.to(TransportProtocol.UDP, edge);
  }

  /** A call that {@link #send} makes. */
  Dialog prepare(int number, String user, Offer offer) {
    var dialog = new Dialog(number, new CallId("call" + number + "@" + address.ip()), true);
    dialog.local =
        NameAddr.of(SipUri.of(name, address)).withTag(new Tag("from" + number + "-" + counter));
    dialog.remote = NameAddr.of(SipUri.of(user, edge));
    dialog.target = SipUri.of(user, edge);
    dialog.cSeq = 1;
    dialogs.put(dialog.callId, dialog);
    SipRequest.Builder invite =
        request(dialog, Method.INVITE).contact(contact()).header(PLAN, Integer.toString(number));
    switch (offer) {
      case SESSION -> invite.body("application/sdp", sdp());
      case GARBAGE -> invite.body("application/sdp", new byte[] {'?'});
      case NONE -> {}
    }
    dialog.invite = invite.build();
    return dialog;
  }

  void send(Dialog dialog) {
    transactions.request(dialog.invite, toEdge());
  }

  /** Does something a time after the call has come to be up. */
  void whenUp(Dialog dialog, Duration after, Consumer<Dialog> what) {
    dialog.whenUp.add(() -> loop.schedule(after, () -> what.accept(dialog)));
  }

  void cancel(Dialog dialog) {
    if (dialog.finalStatus != 0 || dialog.cancelled) {
      return;
    }
    dialog.cancelled = true;
    SipRequest cancel =
        SipRequest.builder(Method.CANCEL, dialog.invite.uri())
            .via(dialog.invite.topVia())
            .maxForwards(70)
            .from(dialog.invite.from())
            .to(dialog.invite.to())
            .callId(dialog.callId)
            .cSeq(new CSeq(dialog.invite.cSeq().number(), Method.CANCEL))
            .build();
    transactions.request(cancel, toEdge());
  }

  void bye(Dialog dialog) {
    if (dialog.over || !dialog.confirmed) {
      return;
    }
    if (dialog.repeat != null) {
      // RFC 3261 15: not before the ACK for its own 2xx, or the end of that transaction.
      dialog.hangsUpOnAck = true;
      return;
    }
    sendBye(dialog);
    over(dialog);
  }

  private void sendBye(Dialog dialog) {
    dialog.cSeq++;
    transactions.request(request(dialog, Method.BYE).build(), toEdge());
  }

  /** Ends an early dialog by BYE, which only the caller may. */
  void byeEarly(Dialog dialog) {
    if (dialog.finalStatus == 0 && dialog.remote.tag().isPresent()) {
      sendBye(dialog);
    }
  }

  /** Puts the other on hold, or changes nothing, by a re-INVITE. */
  void reinvite(Dialog dialog) {
    if (dialog.over || !dialog.confirmed || dialog.inviting || dialog.repeat != null) {
      return;
    }
    dialog.inviting = true;
    dialog.cSeq++;
    dialog.invite =
        request(dialog, Method.INVITE).contact(contact()).body("application/sdp", sdp()).build();
    transactions.request(dialog.invite, toEdge());
  }

  private void up(Dialog dialog) {
    if (!dialog.over && !dialog.confirmed) {
      dialog.confirmed = true;
      observer.up(dialog.call, this, dialog.caller);
      dialog.whenUp.forEach(Runnable::run);
    }
  }

  private void over(Dialog dialog) {
    stopRepeating(dialog);
    if (dialog.inviting) {
      // Nobody waits for the answer any more.
      dialog.inviting = false;
      ClientTransactionId.of(dialog.invite).ifPresent(transactions::forget);
    }
    if (!dialog.over) {
      dialog.over = true;
      observer.over(dialog.call, this, dialog.caller);
    }
  }

  private NameAddr contact() {
    return NameAddr.of(SipUri.of(name, address));
  }

  private Via via(Method method) {
    counter++;
    return Via.of(
            TransportProtocol.UDP,
            address,
            new Branch("z9hG4bK-" + name + "-" + method + "-" + counter))
        .withRportRequested();
  }

  private SipRequest.Builder request(Dialog dialog, Method method) {
    return SipRequest.builder(method, dialog.target)
        .via(via(method))
        .maxForwards(70)
        .from(dialog.local)
        .to(dialog.remote)
        .callId(dialog.callId)
        .cSeq(new CSeq(dialog.cSeq, method));
  }

  private byte[] sdp() {
    return String.join(
            "\r\n",
            "v=0",
            "o=- 1 1 IN IP4 " + address.ip(),
            "s=-",
            "c=IN IP4 " + address.ip(),
            "t=0 0",
            "m=audio 40000 RTP/AVP 0",
            "")
        .getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  public void response(ClientTransactionId id, SipResponse response, Flow flow) {
    observer.answered(this, response);
    Dialog dialog = dialogs.get(response.callId());
    if (dialog == null || !response.cSeq().method().equals(Method.INVITE)) {
      return;
    }
    if (response.isFinal() && response.cSeq().equals(dialog.invite.cSeq())) {
      dialog.inviting = false;
    }
    if (response.isSuccess()) {
      answered(dialog, response);
    } else if (!response.isFinal()
        && response.toTag().isPresent()
        && dialog.remote.tag().isEmpty()) {
      dialog.remote = response.to();
      dialog.target = response.contacts().getFirst().uri();
    } else if (response.isFinal() && !dialog.confirmed) {
      dialog.finalStatus = response.status();
      over(dialog);
    } else if (response.status() == 481 || response.status() == 408) {
      // RFC 3261 12.2.1.2: the other end knows nothing of the dialog.
      sendBye(dialog);
      over(dialog);
    }
  }

  private void answered(Dialog dialog, SipResponse response) {
    boolean givenUp = dialog.over && !dialog.confirmed;
    dialog.finalStatus = response.status();
    if (!dialog.acknowledges) {
      return;
    }
    dialog.remote = response.to();
    dialog.target = response.contacts().getFirst().uri();
    up(dialog);
    SipRequest.Builder ack =
        request(dialog, Method.ACK).cSeq(new CSeq(response.cSeq().number(), Method.ACK));
    if (!dialog.invite.hasBody()) {
      ack.body("application/sdp", sdp());
    }
    transactions.sendStateless(ack.build(), toEdge());
    if (dialog.cancelled && !dialog.over) {
      // The CANCEL crossed the 2xx.
      bye(dialog);
    } else if (givenUp) {
      sendBye(dialog);
    }
  }

  @Override
  public void strayResponse(SipResponse response, Flow flow) {
    Dialog dialog = dialogs.get(response.callId());
    if (dialog != null && response.isSuccess() && response.cSeq().method().equals(Method.INVITE)) {
      answered(dialog, response);
    }
  }

  @Override
  public void request(ServerTransactionId id, SipRequest request, Flow flow) {
    Dialog dialog = dialogs.get(request.callId());
    if (request.method().equals(Method.INVITE) && request.toTag().isEmpty()) {
      invited(id, request);
    } else if (dialog == null || (dialog.over && !request.method().equals(Method.BYE))) {
      transactions.respond(id, answer(request, 481));
    } else if (request.method().equals(Method.BYE)) {
      if (request.toTag().equals(dialog.local.tag())) {
        over(dialog);
      } else if (dialog.second != null) {
        stopRepeating(dialog.second);
      }
      transactions.respond(id, SipResponse.to(request, 200).build());
    } else if (request.method().equals(Method.INVITE) && dialog.forgets) {
      transactions.respond(id, SipResponse.to(request, 481).build());
    } else if (request.method().equals(Method.INVITE) && dialog.inviting) {
      transactions.respond(id, SipResponse.to(request, 491).build());
    } else if (request.method().equals(Method.INVITE)) {
      succeed(addressed(dialog, request), id, SipResponse.to(request, 200));
    } else {
      transactions.respond(id, SipResponse.to(request, 405).build());
    }
  }

  /** Each of two that have answered repeats its own 2xx. */
  private static Dialog addressed(Dialog dialog, SipRequest request) {
    if (request.toTag().equals(dialog.local.tag())) {
      return dialog;
    }
    Dialog second = dialog.second;
    if (second == null) {
      second = new Dialog(dialog.call, dialog.callId, false);
      dialog.second = second;
    }
    return second;
  }

  private static SipResponse answer(SipRequest request, int status) {
    SipResponse.Builder response = SipResponse.to(request, status);
    return request.toTag().isEmpty() ? response.toTag(new Tag("none")).build() : response.build();
  }

  private void succeed(Dialog dialog, ServerTransactionId id, SipResponse.Builder response) {
    dialog.ok = response.contact(contact()).body("application/sdp", sdp()).build();
    dialog.inviteTransaction = id;
    transactions.respond(id, dialog.ok);
    repeatOk(dialog, TIMERS.t1(), TIMERS.t1());
  }

  private void invited(ServerTransactionId id, SipRequest request) {
    int number = Integer.parseInt(request.header(PLAN).orElse("-1"));
    PlannedCall plan = plans.of(number);
    var dialog = new Dialog(number, request.callId(), false);
    dialog.local = request.to().withTag(new Tag("to" + number + "-" + counter++));
    dialog.remote = request.from();
    dialog.target = request.contacts().getFirst().uri();
    dialog.cSeq = 100;
    dialog.inviteTransaction = id;
    dialog.invite = request;
    dialogs.put(dialog.callId, dialog);
    // Who was called in another's place just answers.
    CallKind.Answering how =
        plan.kind().answering() == CallKind.Answering.REDIRECT && address.equals(plans.deputy())
            ? CallKind.Answering.ANSWER
            : plan.kind().answering();
    switch (how) {
      case SILENT -> transactions.forget(id);
      case BUSY -> finish(dialog, 486);
      case OVERLOADED -> finish(dialog, 503);
      case FAIL -> finish(dialog, 500);
      case REDIRECT -> finish(dialog, 302);
      case DECLINE, ANSWER, ANSWER_THEN_BYE, ANSWER_TWICE, ANSWER_AND_FORGET -> {
        ring(dialog, dialog.local, 180);
        if (how == CallKind.Answering.ANSWER_TWICE) {
          ring(dialog, other(dialog), 180);
        }
        loop.schedule(plan.kind().rings(plan.draw()), () -> decide(dialog, how, plan));
      }
      case ANSWER_AFTER_EARLY_MEDIA -> {
        ring(dialog, dialog.local, 183);
        loop.schedule(plan.kind().rings(plan.draw()), () -> decide(dialog, how, plan));
      }
      case RING_ON -> ring(dialog, dialog.local, 180);
    }
    request
        .expires()
        .ifPresent(seconds -> loop.schedule(Duration.ofSeconds(seconds), () -> expire(dialog)));
  }

  /** RFC 3261 13.3.1 step 1: an invitation that has expired is answered with 487. */
  private void expire(Dialog dialog) {
    ServerTransactionId id = dialog.inviteTransaction;
    if (dialog.finalStatus == 0 && transactions.holds(id)) {
      dialog.finalStatus = 487;
      dialog.over = true;
      observer.expired(dialog.call, this, dialog.invite);
      transactions.respond(id, SipResponse.to(dialog.invite, 487).to(dialog.local).build());
    }
  }

  /** The second of the two that answer. */
  private static NameAddr other(Dialog dialog) {
    return dialog.local.withTag(new Tag(dialog.local.tag().orElseThrow().value() + "-other"));
  }

  private void ring(Dialog dialog, NameAddr as, int status) {
    SipResponse.Builder ringing = SipResponse.to(dialog.invite, status).to(as).contact(contact());
    if (status == 183) {
      ringing.body("application/sdp", sdp());
    }
    transactions.respond(dialog.inviteTransaction, ringing.build());
  }

  private void decide(Dialog dialog, CallKind.Answering how, PlannedCall plan) {
    if (dialog.over) {
      return;
    }
    if (how == CallKind.Answering.DECLINE) {
      finish(dialog, 603);
      return;
    }
    dialog.finalStatus = 200;
    dialog.forgets = how == CallKind.Answering.ANSWER_AND_FORGET;
    up(dialog);
    succeed(dialog, dialog.inviteTransaction, SipResponse.to(dialog.invite, 200).to(dialog.local));
    if (how == CallKind.Answering.ANSWER_TWICE) {
      transactions.respond(
          dialog.inviteTransaction, dialog.ok.toBuilder().to(other(dialog)).build());
    }
    if (how == CallKind.Answering.ANSWER_THEN_BYE) {
      loop.schedule(plan.talk(), () -> bye(dialog));
    }
    if (plan.kind() == CallKind.REINVITED_BY_BOTH) {
      loop.schedule(plan.talk().dividedBy(2), () -> reinvite(dialog));
    }
  }

  private void repeatOk(Dialog dialog, Duration after, Duration waited) {
    stopRepeating(dialog);
    dialog.repeat =
        loop.schedule(
            after,
            () -> {
              Duration longest = TIMERS.t1().multipliedBy(64);
              if (waited.compareTo(longest) >= 0) {
                notAcknowledged(dialog);
              } else {
                transactions.respond(dialog.inviteTransaction, dialog.ok);
                Duration next = min(after.multipliedBy(2), TIMERS.t2());
                repeatOk(dialog, next, waited.plus(next));
              }
            });
  }

  private static Duration min(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  /** RFC 3261 13.3.1.4: no ACK came, the session should be ended by BYE. */
  private void notAcknowledged(Dialog dialog) {
    dialog.repeat = null;
    observer.notAcknowledged(dialog.call, this, dialog.ok.cSeq().number());
    bye(dialog);
  }

  private static void stopRepeating(Dialog dialog) {
    if (dialog.repeat != null) {
      dialog.repeat.cancel();
      dialog.repeat = null;
    }
  }

  private void finish(Dialog dialog, int status) {
    dialog.finalStatus = status;
    over(dialog);
    SipResponse.Builder response = SipResponse.to(dialog.invite, status).to(dialog.local);
    if (status == 302) {
      response.contact(NameAddr.of(SipUri.of("deputy", plans.deputy())));
    }
    transactions.respond(dialog.inviteTransaction, response.build());
  }

  @Override
  public void cancel(
      ServerTransactionId id, SipRequest cancel, Flow flow, Optional<ServerTransactionId> invite) {
    Dialog dialog = dialogs.get(cancel.callId());
    if (dialog == null || invite.isEmpty()) {
      transactions.respond(id, answer(cancel, 481));
      return;
    }
    transactions.respond(id, SipResponse.to(cancel, 200).to(dialog.local).build());
    if (dialog.finalStatus == 0) {
      finish(dialog, 487);
    }
  }

  @Override
  public void ack(SipRequest ack, Flow flow) {
    Dialog dialog = dialogs.get(ack.callId());
    if (dialog == null) {
      return;
    }
    if (acknowledges(ack, dialog)) {
      stopRepeating(dialog);
      if (dialog.hangsUpOnAck) {
        bye(dialog);
      }
    } else if (dialog.second != null && acknowledges(ack, dialog.second)) {
      stopRepeating(dialog.second);
    }
  }

  private static boolean acknowledges(SipRequest ack, Dialog dialog) {
    return dialog.repeat != null
        && ack.cSeq().number() == dialog.ok.cSeq().number()
        && ack.toTag().equals(dialog.ok.toTag());
  }

  @Override
  public void failed(ClientTransactionId id, Failure failure) {
    for (Dialog dialog : dialogs.values()) {
      if (dialog.caller
          && !dialog.confirmed
          && id.method().equals(Method.INVITE)
          && dialog.invite.topVia().branch().equals(Optional.of(id.branch()))) {
        dialog.finalStatus = 408;
        over(dialog);
      } else if (id.method().equals(Method.INVITE)
          && dialog.inviting
          && dialog.invite.topVia().branch().equals(Optional.of(id.branch()))) {
        // RFC 3261 12.2.1.2: no answer within the dialog ends it.
        dialog.inviting = false;
        sendBye(dialog);
        over(dialog);
      }
    }
  }

  @Override
  public void serverTransactionEnded(ServerTransactionId id, ServerEnd end) {}

  @Override
  public void responseNotSent(ServerTransactionId id, SendFailure failure) {}

  @Override
  public void refused(SipRequest request, Flow flow) {}
}
