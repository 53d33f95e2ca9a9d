package io.sippbx.app.demo;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.shared.sdp.Direction;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The one call that a phone may have: its dialog, its offers and answers, and when its voice is
 * sent where. Confined to the phone's loop.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-13">RFC 3261 12 to 15</a>
 */
final class PhoneCall implements UserAgent.Calls {

  private static final String ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS";
  private static final TimerSettings TIMERS = TimerSettings.RFC_3261;

  /** An INVITE that waits for our answer. */
  private record Alerting(ServerTransactionId id, SipRequest invite, PhoneMedia theirs, Tag tag) {}

  /** Our 200 that waits for its ACK, and where the voice goes from then on. */
  private record Accepted(
      ServerTransactionId id, SipResponse answer, Direction direction, PhoneMedia theirs) {}

  private final Account account;
  private final UserAgent agent;
  private final RtpEndpoint voice;
  private final Tokens tokens;
  private final Consumer<PhoneEvent> events;
  private final long session;
  private int version;
  private Direction wanted = Direction.SENDRECV;
  private boolean inviting;
  private @Nullable Alerting alerting;
  private @Nullable Accepted accepted;
  private Loop.@Nullable Timer repeat;
  private @Nullable Dialog dialog;
  private @Nullable SipRequest ack;

  /**
   * @param events is told what happens, on the loop
   * @param session the number of the session in our descriptions
   */
  PhoneCall(
      Account account,
      UserAgent agent,
      RtpEndpoint voice,
      Tokens tokens,
      Consumer<PhoneEvent> events,
      long session) {
    this.account = account;
    this.agent = agent;
    this.voice = voice;
    this.tokens = tokens;
    this.events = events;
    this.session = session;
  }

  // What the user of the phone does.

  /** Calls another user of the domain. */
  void dial(String user, CallId callId) {
    SipRequest.Builder invite =
        SipRequest.builder(Method.INVITE, account.address(user))
            .via(agent.via())
            .from(NameAddr.of(account.address(account.user())).withTag(tokens.tag()))
            .to(NameAddr.of(account.address(user)))
            .callId(callId)
            .cSeq(1);
    invite(invite);
  }

  /** Lets the caller know that the phone rings. */
  void ring() {
    Alerting each = alerting;
    if (each == null) {
      trouble("has no call to ring for");
      return;
    }
    agent.respond(
        each.id(),
        SipResponse.to(each.invite(), 180)
            .copy(each.invite(), HeaderName.RECORD_ROUTE)
            .toTag(each.tag())
            .contact(agent.contact())
            .build());
  }

  /** Takes the call that rings. */
  void answer() {
    Alerting each = alerting;
    alerting = null;
    Optional<Dialog> made =
        each == null ? Optional.empty() : Dialog.ofInvite(each.invite(), each.tag());
    if (each == null || made.isEmpty()) {
      trouble("has no call to answer");
      return;
    }
    dialog = made.get();
    accept(each.id(), each.invite(), each.theirs());
  }

  /** Offers another direction: {@link Direction#SENDONLY} puts the other side on hold. */
  void change(Direction direction) {
    Dialog current = dialog;
    if (current == null || inviting) {
      trouble("has no call to change");
      return;
    }
    wanted = direction;
    invite(current.request(Method.INVITE, agent.via()));
  }

  /** Ends the call. */
  void hangUp() {
    Dialog current = dialog;
    if (current == null) {
      trouble("has no call to end");
      return;
    }
    voice.pause();
    dialog = null;
    agent.send(
        current.request(Method.BYE, agent.via()).build(),
        new UserAgent.Exchange() {
          @Override
          public void provisional(SipResponse response) {}

          @Override
          public void answered(SipRequest sent, SipResponse response) {
            if (response.isSuccess()) {
              events.accept(new PhoneEvent.Over());
            } else {
              refused(sent, response);
            }
          }

          @Override
          public void failed(String why) {
            trouble("sent a BYE that " + why);
          }
        });
  }

  // Our INVITE.

  private void invite(SipRequest.Builder request) {
    inviting = true;
    version++;
    agent.send(
        request
            .contact(agent.contact())
            .header(HeaderName.ALLOW, ALLOW)
            .body(PhoneMedia.CONTENT_TYPE, body(wanted))
            .build(),
        new UserAgent.Exchange() {
          @Override
          public void provisional(SipResponse response) {
            if (response.status() == 180) {
              events.accept(new PhoneEvent.Ringing());
            }
          }

          @Override
          public void answered(SipRequest sent, SipResponse response) {
            if (response.isSuccess()) {
              accepted(sent, response);
            } else {
              inviting = false;
              refused(sent, response);
            }
          }

          @Override
          public void failed(String why) {
            inviting = false;
            trouble("sent an INVITE that " + why);
          }
        });
  }

  private void accepted(SipRequest sent, SipResponse response) {
    SipRequest known = ack;
    if (known != null && known.cSeq().number() == response.cSeq().number()) {
      // 13.2.2.4: a 200 that comes again gets its ACK again.
      agent.sendAck(known);
      return;
    }
    inviting = false;
    Dialog current = dialog;
    Optional<Dialog> now =
        current == null
            ? Dialog.ofAnswer(sent, response)
            : Optional.of(current.sent(sent.cSeq().number()).refreshed(response));
    if (now.isEmpty()) {
      trouble("got a 200 without a tag or a Contact");
      return;
    }
    dialog = now.get();
    // "The ACK MUST contain the same credentials as the INVITE" (13.2.2.4).
    SipRequest made =
        now.get()
            .request(Method.ACK, agent.via())
            .copy(sent, HeaderName.AUTHORIZATION)
            .copy(sent, HeaderName.PROXY_AUTHORIZATION)
            .build();
    ack = made;
    agent.sendAck(made);
    Optional<PhoneMedia> theirs = PhoneMedia.read(response);
    if (theirs.isEmpty()) {
      trouble("got a 200 without an answer that it understands");
      return;
    }
    talk(wanted.and(theirs.get().direction().reversed()), theirs.get());
    events.accept(new PhoneEvent.Answered(theirs.get()));
  }

  // Theirs.

  @Override
  public void requested(ServerTransactionId id, SipRequest request) {
    Dialog current = dialog;
    boolean within = current != null && current.holds(request);
    if (request.method().equals(Method.INVITE) && request.toTag().isEmpty()) {
      called(id, request);
    } else if (request.method().equals(Method.OPTIONS)) {
      respond(id, request, 200);
    } else if (!request.method().equals(Method.INVITE) && !request.method().equals(Method.BYE)) {
      respond(id, request, 405);
    } else if (!within) {
      respond(id, request, 481);
    } else if (request.method().equals(Method.BYE)) {
      voice.pause();
      dialog = null;
      stopRepeating();
      respond(id, request, 200);
      events.accept(new PhoneEvent.HungUp());
    } else if (inviting) {
      // 14.2: both sides want to change the session at once.
      respond(id, request, 491);
    } else {
      changed(id, request, current);
    }
  }

  private void called(ServerTransactionId id, SipRequest invite) {
    Optional<PhoneMedia> theirs = PhoneMedia.read(invite);
    if (alerting != null || dialog != null || inviting) {
      respond(id, invite, 486);
    } else if (theirs.isEmpty()) {
      respond(id, invite, 488);
    } else {
      alerting = new Alerting(id, invite, theirs.get(), tokens.tag());
      events.accept(new PhoneEvent.Rings(invite, theirs.get()));
    }
  }

  private void changed(ServerTransactionId id, SipRequest invite, @Nullable Dialog current) {
    Optional<PhoneMedia> theirs = PhoneMedia.read(invite);
    if (current == null || theirs.isEmpty()) {
      respond(id, invite, 488);
      return;
    }
    dialog = current.refreshed(invite);
    accept(id, invite, theirs.get());
    events.accept(new PhoneEvent.Changed(theirs.get()));
  }

  private void accept(ServerTransactionId id, SipRequest invite, PhoneMedia theirs) {
    version++;
    Direction direction = wanted.and(theirs.direction().reversed());
    Dialog current = dialog;
    SipResponse.Builder answer =
        SipResponse.to(invite, 200)
            .copy(invite, HeaderName.RECORD_ROUTE)
            .contact(agent.contact())
            .header(HeaderName.ALLOW, ALLOW)
            .body(PhoneMedia.CONTENT_TYPE, body(direction));
    if (current != null) {
      current.local().tag().ifPresent(answer::toTag);
    }
    stopRepeating();
    accepted = new Accepted(id, answer.build(), direction, theirs);
    sendAccepted(TIMERS.t1(), Duration.ZERO);
  }

  /** 13.3.1.4: again and again until the ACK comes, over any transport. */
  private void sendAccepted(Duration interval, Duration waited) {
    Accepted each = accepted;
    if (each == null) {
      return;
    }
    if (waited.compareTo(TIMERS.patience()) >= 0) {
      stopRepeating();
      trouble("sent a 200 to INVITE that was never acknowledged");
      return;
    }
    agent.respond(each.id(), each.answer());
    Duration twice = interval.multipliedBy(2);
    repeat =
        agent
            .loop()
            .schedule(
                interval,
                () ->
                    sendAccepted(
                        twice.compareTo(TIMERS.t2()) < 0 ? twice : TIMERS.t2(),
                        waited.plus(interval)));
  }

  private void stopRepeating() {
    accepted = null;
    Loop.Timer timer = repeat;
    if (timer != null) {
      timer.cancel();
      repeat = null;
    }
  }

  @Override
  public void acknowledged(SipRequest received) {
    Accepted each = accepted;
    Dialog current = dialog;
    if (each != null
        && current != null
        && current.holds(received)
        && each.answer().cSeq().number() == received.cSeq().number()) {
      stopRepeating();
      talk(each.direction(), each.theirs());
      events.accept(new PhoneEvent.Acknowledged());
    }
  }

  @Override
  public void cancelled(ServerTransactionId invite) {
    Alerting each = alerting;
    if (each != null && each.id().equals(invite)) {
      alerting = null;
      agent.respond(invite, SipResponse.to(each.invite(), 487).toTag(each.tag()).build());
      trouble("was called, but the call was cancelled before it answered");
    }
  }

  // Both.

  private byte[] body(Direction direction) {
    return new PhoneMedia(voice.local(), direction).body(account.user(), session, version);
  }

  private void talk(Direction direction, PhoneMedia theirs) {
    if (direction.sends()) {
      voice.sendTo(theirs.rtp());
    } else {
      voice.pause();
    }
  }

  private void respond(ServerTransactionId id, SipRequest request, int status) {
    agent.respond(
        id,
        SipResponse.to(request, status)
            .toTag(tokens.tag())
            .header(HeaderName.ALLOW, ALLOW)
            .build());
  }

  private void refused(SipRequest sent, SipResponse response) {
    trouble("got " + response.status() + " " + response.reason() + " to its " + sent.method());
  }

  private void trouble(String what) {
    events.accept(new PhoneEvent.Trouble(what));
  }
}
