package io.sippbx.control.edge;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.CSeq;
import io.sippbx.control.sip.message.CallId;
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
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.shared.net.Endpoint;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A user agent on virtual time with transactions of the real kind and a plan for each call. It
 * holds up its end of RFC 3261: it repeats its 2xx until the ACK, acknowledges each 2xx, answers
 * BYE.
 */
final class VirtualPhone implements TransactionUser {

  private static final TimerSettings TIMERS = TimerSettings.RFC_3261;

  /** What a called phone does. */
  enum Answering {
    ANSWER,
    BUSY,
    DECLINE,
    RING_ON,
    SILENT,
    ANSWER_THEN_BYE,
    /** Sends on to a phone that answers. */
    REDIRECT,
    OVERLOADED,
    FAIL,
    /** Rings and answers as two, as a proxy that forks lets it be heard. */
    ANSWER_TWICE,
    /** Answers, and knows nothing of it when it is asked again. */
    ANSWER_AND_FORGET
  }

  private final Loop loop;
  private final Endpoint address;
  private final Endpoint edge;
  private final Endpoint deputy;
  private final TransactionLayer transactions;
  private final Map<CallId, Dialog> dialogs = new LinkedHashMap<>();
  private Answering answering = Answering.ANSWER;
  private Duration answerAfter = Duration.ofMillis(50);
  private Duration talk = Duration.ofSeconds(2);
  private int counter;

  /** A call as this phone sees it; what is not known yet is set by who makes it. */
  @SuppressWarnings("NullAway.Init")
  static final class Dialog {
    final CallId callId;
    final boolean caller;
    NameAddr local;
    NameAddr remote;
    Uri target;
    long cSeq;
    long remoteCSeq;
    boolean confirmed;
    boolean over;
    boolean cancelled;
    boolean acknowledges = true;
    boolean forgets;
    int finalStatus;
    SipRequest invite;
    ServerTransactionId inviteTransaction;
    SipResponse ok;
    Loop.@Nullable Timer repeat;

    Dialog(CallId callId, boolean caller) {
      this.callId = callId;
      this.caller = caller;
    }
  }

  /**
   * A phone that calls by {@code edge}.
   *
   * @param deputy to whom it sends callers on when it is told to
   */
  VirtualPhone(
      Loop loop, Endpoint address, Endpoint edge, Endpoint deputy, VirtualNetwork network) {
    this.loop = loop;
    this.address = address;
    this.edge = edge;
    this.deputy = deputy;
    SipTransport transport = network.attach(address, this::receive);
    this.transactions =
        new TransactionLayer(loop, transport, this, TIMERS, TransactionLimits.DEFAULT);
  }

  private void receive(SipMessage message, Flow flow) {
    loop.execute(() -> transactions.receive(message, flow));
  }

  /** The loop on which everything must be asked of this phone. */
  Loop loop() {
    return loop;
  }

  TransactionLayer transactions() {
    return transactions;
  }

  void plan(Answering how, Duration after, Duration talkFor) {
    answering = how;
    answerAfter = after;
    talk = talkFor;
  }

  /** What an INVITE holds. */
  enum Offer {
    SESSION,
    /** The offer is the callee's. */
    NONE,
    /** Nothing that could be understood. */
    GARBAGE
  }

  Dialog call(String user, Offer offer) {
    var dialog = new Dialog(new CallId("call-" + counter + "@" + address.ip()), true);
    counter++;
    dialog.local = NameAddr.of(SipUri.of("phone", address)).withTag(new Tag("from" + counter));
    dialog.remote = NameAddr.of(SipUri.of(user, edge));
    dialog.target = SipUri.of(user, edge);
    dialog.cSeq = 1;
    dialogs.put(dialog.callId, dialog);
    SipRequest.Builder invite = request(dialog, Method.INVITE);
    invite.contact(NameAddr.of(SipUri.of("phone", address)));
    switch (offer) {
      case SESSION -> invite.body("application/sdp", sdp());
      case GARBAGE -> invite.body("application/sdp", new byte[] {'?'});
      case NONE -> {}
    }
    dialog.invite = invite.build();
    transactions.request(dialog.invite, Destination.to(TransportProtocol.UDP, edge));
    return dialog;
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
    transactions.request(cancel, Destination.to(TransportProtocol.UDP, edge));
  }

  void bye(Dialog dialog) {
    if (dialog.over || !dialog.confirmed) {
      return;
    }
    dialog.over = true;
    stopRepeating(dialog);
    dialog.cSeq++;
    transactions.request(
        request(dialog, Method.BYE).build(), Destination.to(TransportProtocol.UDP, edge));
  }

  /** Ends an early dialog by BYE, which only the caller may. */
  void byeEarly(Dialog dialog) {
    if (dialog.finalStatus != 0 || dialog.remote.tag().isEmpty()) {
      return;
    }
    dialog.cSeq++;
    transactions.request(
        request(dialog, Method.BYE).build(), Destination.to(TransportProtocol.UDP, edge));
  }

  /** Puts the other on hold, or changes nothing, by a re-INVITE. */
  void reinvite(Dialog dialog) {
    if (dialog.over || !dialog.confirmed) {
      return;
    }
    dialog.cSeq++;
    dialog.invite =
        request(dialog, Method.INVITE)
            .contact(NameAddr.of(SipUri.of("phone", address)))
            .body("application/sdp", sdp())
            .build();
    transactions.request(dialog.invite, Destination.to(TransportProtocol.UDP, edge));
  }

  private SipRequest.Builder request(Dialog dialog, Method method) {
    return SipRequest.builder(method, dialog.target)
        .via(
            Via.of(
                    TransportProtocol.UDP,
                    address,
                    new Branch("z9hG4bK-" + address.ip() + "-" + method + "-" + counter++))
                .withRportRequested())
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
    Dialog dialog = dialogs.get(response.callId());
    if (dialog == null || !response.cSeq().method().equals(Method.INVITE)) {
      return;
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
      dialog.over = true;
    }
  }

  private void answered(Dialog dialog, SipResponse response) {
    dialog.finalStatus = response.status();
    if (!dialog.acknowledges) {
      return;
    }
    dialog.remote = response.to();
    dialog.target = response.contacts().getFirst().uri();
    dialog.confirmed = true;
    SipRequest.Builder ack =
        request(dialog, Method.ACK).cSeq(new CSeq(response.cSeq().number(), Method.ACK));
    if (!dialog.invite.hasBody()) {
      ack.body("application/sdp", sdp());
    }
    transactions.sendStateless(ack.build(), Destination.to(TransportProtocol.UDP, edge));
    if (dialog.cancelled && !dialog.over) {
      // The CANCEL crossed the 2xx.
      bye(dialog);
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
    } else if (dialog == null) {
      transactions.respond(id, SipResponse.to(request, 481).toTag(new Tag("none")).build());
    } else if (request.method().equals(Method.BYE)) {
      if (request.toTag().equals(dialog.local.tag())) {
        dialog.over = true;
        stopRepeating(dialog);
      }
      transactions.respond(id, SipResponse.to(request, 200).build());
    } else if (request.method().equals(Method.INVITE) && dialog.forgets) {
      transactions.respond(id, SipResponse.to(request, 481).build());
    } else if (request.method().equals(Method.INVITE)) {
      SipResponse ok =
          SipResponse.to(request, 200)
              .contact(NameAddr.of(SipUri.of("phone", address)))
              .body("application/sdp", sdp())
              .build();
      dialog.ok = ok;
      dialog.inviteTransaction = id;
      repeatOk(dialog, TIMERS.t1());
      transactions.respond(id, ok);
    } else {
      transactions.respond(id, SipResponse.to(request, 405).build());
    }
  }

  private void invited(ServerTransactionId id, SipRequest request) {
    var dialog = new Dialog(request.callId(), false);
    dialog.local = request.to().withTag(new Tag("to" + counter++));
    dialog.remote = request.from();
    dialog.target = request.contacts().getFirst().uri();
    dialog.cSeq = 100;
    dialog.inviteTransaction = id;
    dialog.invite = request;
    dialogs.put(dialog.callId, dialog);
    Answering how = answering;
    switch (how) {
      case SILENT -> {}
      case BUSY -> finish(dialog, 486);
      case OVERLOADED -> finish(dialog, 503);
      case FAIL -> finish(dialog, 500);
      case REDIRECT -> finish(dialog, 302);
      case DECLINE, ANSWER, ANSWER_THEN_BYE, ANSWER_TWICE, ANSWER_AND_FORGET -> {
        ring(dialog, dialog.local);
        if (how == Answering.ANSWER_TWICE) {
          ring(dialog, other(dialog));
        }
        Duration talkFor = talk;
        loop.schedule(answerAfter, () -> decide(dialog, how, talkFor));
      }
      case RING_ON -> ring(dialog, dialog.local);
    }
  }

  /** The second of the two that answer. */
  private static NameAddr other(Dialog dialog) {
    return dialog.local.withTag(new Tag(dialog.local.tag().orElseThrow().value() + "-other"));
  }

  private void ring(Dialog dialog, NameAddr as) {
    transactions.respond(
        dialog.inviteTransaction,
        SipResponse.to(dialog.invite, 180)
            .to(as)
            .contact(NameAddr.of(SipUri.of("phone", address)))
            .build());
  }

  private void decide(Dialog dialog, Answering how, Duration talkFor) {
    if (dialog.over) {
      return;
    }
    if (how == Answering.DECLINE) {
      finish(dialog, 603);
      return;
    }
    dialog.finalStatus = 200;
    dialog.confirmed = true;
    dialog.ok =
        SipResponse.to(dialog.invite, 200)
            .to(dialog.local)
            .contact(NameAddr.of(SipUri.of("phone", address)))
            .body("application/sdp", sdp())
            .build();
    dialog.forgets = how == Answering.ANSWER_AND_FORGET;
    transactions.respond(dialog.inviteTransaction, dialog.ok);
    repeatOk(dialog, TIMERS.t1());
    if (how == Answering.ANSWER_TWICE) {
      transactions.respond(
          dialog.inviteTransaction, dialog.ok.toBuilder().to(other(dialog)).build());
    }
    if (how == Answering.ANSWER_THEN_BYE) {
      loop.schedule(talkFor, () -> bye(dialog));
    }
  }

  private void repeatOk(Dialog dialog, Duration after) {
    stopRepeating(dialog);
    if (after.compareTo(TIMERS.t1().multipliedBy(64)) > 0) {
      return;
    }
    dialog.repeat =
        loop.schedule(
            after,
            () -> {
              transactions.respond(dialog.inviteTransaction, dialog.ok);
              repeatOk(dialog, after.multipliedBy(2));
            });
  }

  private static void stopRepeating(Dialog dialog) {
    if (dialog.repeat != null) {
      dialog.repeat.cancel();
      dialog.repeat = null;
    }
  }

  private void finish(Dialog dialog, int status) {
    dialog.finalStatus = status;
    dialog.over = true;
    SipResponse.Builder response = SipResponse.to(dialog.invite, status).to(dialog.local);
    if (status == 302) {
      response.contact(NameAddr.of(SipUri.of("deputy", deputy)));
    }
    transactions.respond(dialog.inviteTransaction, response.build());
  }

  @Override
  public void cancel(
      ServerTransactionId id, SipRequest cancel, Flow flow, Optional<ServerTransactionId> invite) {
    Dialog dialog = dialogs.get(cancel.callId());
    if (dialog == null || invite.isEmpty()) {
      transactions.respond(id, SipResponse.to(cancel, 481).toTag(new Tag("none")).build());
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
    if (dialog != null) {
      stopRepeating(dialog);
    }
  }

  @Override
  public void failed(ClientTransactionId id, Failure failure) {
    for (Dialog dialog : dialogs.values()) {
      if (dialog.caller
          && !dialog.confirmed
          && id.method().equals(Method.INVITE)
          && dialog.invite.topVia().branch().equals(Optional.of(id.branch()))) {
        dialog.finalStatus = 408;
        dialog.over = true;
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
