package io.sippbx.control.call;

import io.sippbx.control.call.MediaPart.Anchor;
import io.sippbx.control.call.TimerId.Kind;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.Termination;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.event.Termination.Result;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.MediaAnswer.Refusal;
import io.sippbx.control.offer.LegSdp;
import io.sippbx.control.offer.OfferAnswer;
import io.sippbx.control.offer.OfferAnswer.Message;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A session whose node has lost it, is gone or is to be emptied: held again where it was, on the
 * ports that the legs know, or else on another node, and the legs are told.
 *
 * <pre>
 * Firm      -- session lost           --> Restoring  Apply to the same node, ports pinned
 * Firm      -- node lost, draining    --> (another is looked for) --> Moving   Apply to that node
 * Restoring -- held                   --> Telling
 * Restoring -- refused                --> (another is looked for) --> Moving
 * Moving    -- held                   --> Telling
 * Moving    -- refused, unreachable   --> (another is looked for) --> Moving
 * Telling   -- each leg knows         --> Firm       Release at the nodes that it has left
 * any       -- node lost              --> (another is looked for) --> Moving
 * </pre>
 *
 * <p>Whom to tell is not noted down but seen: a leg whose last description from us has another
 * address than the node's is told by a re-INVITE as soon as it can be asked. So it makes no
 * difference who carries on, or how often the session moves meanwhile, and a call in set-up needs
 * no rule of its own: who has not been told hears the new address in the course of things, who has
 * is told right after the ACK. There is no UPDATE within an early dialog: without reliable
 * provisional responses no offer is ever answered there (RFC 3311 5.1).
 *
 * <p>Where the node has died, and nobody is heard any more, nothing is waited for that need not be:
 * see {@link Reinviting#giveWay} and {@link #updateIfPossible}.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-14.1">RFC 3261 14.1</a>
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3264#section-8.3.1">RFC 3264 8.3.1</a>
 */
final class Reanchoring {

  /** Between two looks for a node, while none has room. */
  private static final Duration LOOK = Duration.ofSeconds(1);

  private static final int MAX_LOOKS = 30;

  /** More than a node is given for its answer. */
  private static final Duration ANSWERS_WITHIN = Duration.ofSeconds(3);

  /** Of one re-INVITE that is refused for now, again and again. */
  private static final int MAX_ATTEMPTS = 8;

  private static final Duration MAX_RETRY_AFTER = Duration.ofSeconds(10);

  /** When a 2xx that is not acknowledged has been sent a second time (RFC 3261 13.3.1.4). */
  private static final Duration UPDATE_AFTER = Duration.ofMillis(600);

  private final CallerSide caller;
  private final Messages messages;
  private final Negotiation negotiation;
  private final Reinviting reinviting;
  private final Ending ending;

  Reanchoring(
      CallerSide caller,
      Messages messages,
      Negotiation negotiation,
      Reinviting reinviting,
      Ending ending) {
    this.caller = caller;
    this.messages = messages;
    this.negotiation = negotiation;
    this.reinviting = reinviting;
    this.ending = ending;
  }

  /** The node is there and the session is not: it is held again, on the ports that were told. */
  void sessionLost(Draft d, NodeId node) {
    if (!d.media.isOn(node) || d.media.revision() == 0) {
      return;
    }
    boolean asked =
        switch (d.media.anchor()) {
          case FIRM, TELLING -> d.media.addresses().isEmpty();
          case RESTORING -> d.media.heldRevision() < d.media.revision();
          case MOVING -> true;
        };
    if (asked) {
      d.effect(negotiation.apply(d));
    } else {
      restore(d);
    }
  }

  private void restore(Draft d) {
    d.stop(TimerId.of(Kind.MEDIA));
    d.media = d.media.restoring();
    d.effect(negotiation.apply(d));
    d.change();
  }

  /** The node is gone. */
  void nodeLost(Draft d, NodeId node) {
    if (d.media.isOn(node) && d.timers().keySet().stream().noneMatch(Reanchoring::isMove)) {
      place(d, true, List.of(node));
    }
  }

  /** The node is to be emptied; this will be said again. */
  void draining(Draft d, NodeId node) {
    if (d.media.isOn(node) && mayWait(d)) {
      place(d, false, List.of(node));
    }
  }

  /** Whether a move that is not pressing would meet another. */
  private static boolean mayWait(Draft d) {
    return d.media.isSettled() && d.renewals.isEmpty();
  }

  private void place(Draft d, boolean lost, List<NodeId> except) {
    d.media
        .node()
        .ifPresent(
            from -> d.effect(new Effect.PlaceMedia(from, lost, d.media.plan().need(), except)));
  }

  /** Another place was looked for. */
  void placed(Draft d, Input.MediaPlaced in) {
    if (d.termination.isPresent() || !d.media.isOn(in.from()) || (!in.lost() && !mayWait(d))) {
      return;
    }
    if (in.to().isEmpty()) {
      if (in.lost()) {
        nowhere(d);
      }
      return;
    }
    NodeId to = in.to().get();
    lookLater(d);
    if (d.media.revision() == 0) {
      d.media = d.media.placedOn(to);
      d.change();
    } else if (to.equals(in.from()) && d.media.anchor() != Anchor.RESTORING) {
      // It is back; what it still has is not opened anew.
      restore(d);
    } else if (d.media.former().size() >= MediaPart.MAX_FORMER) {
      giveUp(d);
    } else {
      d.media = d.media.movedTo(to);
      d.effect(negotiation.apply(d));
      d.change();
      if (in.lost()) {
        reinviting.giveWay(d);
      }
    }
  }

  private void nowhere(Draft d) {
    if (isUnsaid(d)) {
      caller.noMedia(d);
    } else if (d.timers().keySet().stream().noneMatch(Reanchoring::isMove)) {
      d.start(new TimerId(Kind.MOVE, 1), LOOK);
    }
  }

  /** Nobody has been told of the session yet, and somebody waits until it can be said. */
  private static boolean isUnsaid(Draft d) {
    return d.legs.isEmpty() && d.media.addresses().isEmpty();
  }

  private static boolean isMove(TimerId timer) {
    return timer.kind() == Kind.MOVE;
  }

  /** The node that was found has some time to answer; how often it was looked counts on. */
  private static void lookLater(Draft d) {
    d.stop(TimerId.of(Kind.MEDIA));
    for (TimerId timer : List.copyOf(d.timers().keySet())) {
      if (isMove(timer)) {
        d.startAgain(timer, ANSWERS_WITHIN);
      }
    }
  }

  /** A node holds the session. */
  void held(Draft d) {
    for (TimerId timer : List.copyOf(d.timers().keySet())) {
      if (isMove(timer)) {
        d.stop(timer);
      }
    }
  }

  /** Another node than before holds it, as it says now. */
  void tellMoved(Draft d) {
    if (d.media.anchor() == Anchor.MOVING
        && !d.media.former().isEmpty()
        && d.media.node().isPresent()) {
      d.happening(new CallHappening.Reanchored(d.media.former().getLast(), d.media.node().get()));
    }
  }

  /** No node had room: there may be one now. */
  void look(Draft d, int looks) {
    if (looks >= MAX_LOOKS) {
      giveUp(d);
      return;
    }
    d.startAgain(new TimerId(Kind.MOVE, looks + 1), LOOK);
    place(d, true, List.of());
  }

  /**
   * The node will not hold the session, or did not answer.
   *
   * @return false if that is no matter of where the session is
   */
  boolean refused(Draft d, MediaAnswer answer) {
    if (raised(d, answer)) {
      d.effect(negotiation.apply(d));
      return true;
    }
    NodeId node = d.media.node().orElseThrow();
    Optional<Refusal> refusal =
        answer instanceof MediaAnswer.Refused refused
            ? Optional.of(refused.refusal())
            : Optional.empty();
    switch (d.media.anchor()) {
      case FIRM, TELLING -> {
        if (isUnsaid(d) && d.media.former().isEmpty()) {
          place(d, true, List.of(node));
          return true;
        }
        if (refusal.equals(Optional.of(Refusal.RELEASED))) {
          // It has ended the session by itself, and does not open it again.
          place(d, true, List.of(node));
        } else if (refusal.equals(Optional.of(Refusal.RESTORING))
            && !d.media.addresses().isEmpty()) {
          restore(d);
        } else {
          return false;
        }
      }
      case RESTORING -> {
        if (refusal.isEmpty() || refusal.get() == Refusal.OVERLOADED) {
          return false;
        }
        place(d, true, refusal.get() == Refusal.RELEASED ? List.of(node) : List.of());
      }
      case MOVING -> {
        var except = new ArrayList<NodeId>(d.media.former());
        except.add(node);
        place(d, true, except);
      }
    }
    return true;
  }

  /**
   * The store has lost writes, and the node knows a later call than the record is: what the record
   * wants is told as later still.
   *
   * @return false if that is not what the answer says
   */
  static boolean raised(Draft d, MediaAnswer answer) {
    boolean isBehind =
        answer instanceof MediaAnswer.Refused refused
            && (refused.refusal() == Refusal.STALE_REVISION
                || refused.refusal() == Refusal.REVISION_REUSED)
            && refused.heldRevision() >= d.media.revision();
    if (isBehind) {
      raise(d, ((MediaAnswer.Refused) answer).heldRevision());
    }
    return isBehind;
  }

  private static void raise(Draft d, long heard) {
    d.media = d.media.above(heard);
    d.change();
  }

  /** Of a session that is later than the record: the node is told what the record says. */
  void heardOfLater(Draft d, long revision) {
    raise(d, revision);
    d.effect(negotiation.apply(d));
  }

  private void giveUp(Draft d) {
    if (d.legs.isPresent()) {
      ending.end(d, new Termination(Result.COMPLETED, Reason.MEDIA_LOST, 200));
    } else {
      caller.rejectWith(
          d,
          503,
          new Termination(Result.FAILED, Reason.MEDIA_LOST, 503),
          builder -> builder.header(HeaderName.RETRY_AFTER, "10"));
    }
  }

  /** Tells whoever can be told now; once everybody knows, the former nodes may forget it. */
  void proceed(Draft d) {
    if (d.media.anchor() != Anchor.TELLING
        || !d.isUp()
        || d.media.heldRevision() < d.media.revision()) {
      return;
    }
    for (Side side : Side.values()) {
      Optional<Renewal> renewal = d.renewal(side);
      if (renewal.isEmpty() && isStale(d, side)) {
        d.replace(Renewal.due(d.leg(side), false));
        d.change();
      } else if (renewal.filter(each -> isNeedless(d, each)).isPresent()) {
        d.remove(side);
        d.stop(timer(side));
      }
      d.renewal(side).ifPresent(each -> askIfPossible(d, each));
      if (!d.isUp()) {
        return;
      }
    }
    if (d.renewals.isEmpty()) {
      d.media = d.media.with(Anchor.FIRM);
      d.note();
      if (!d.media.former().isEmpty()) {
        ending.releaseFormer(d);
        d.change();
      }
    }
  }

  private static boolean isStale(Draft d, Side side) {
    LegSdp ours = d.leg(side).sdp().ours();
    return ours.told().isPresent() && ours.moving(d.media.addresses()).version() != ours.version();
  }

  /** The peer has asked us in the meantime, and so was told. */
  private static boolean isNeedless(Draft d, Renewal renewal) {
    return renewal.sent().isEmpty() && !renewal.offersOther() && !isStale(d, renewal.side());
  }

  private void askIfPossible(Draft d, Renewal renewal) {
    Side side = renewal.side();
    Leg leg = d.leg(side);
    if (renewal.sent().isPresent() || leg.end() != LegEnd.State.UP || isBeingAnswered(d)) {
      return;
    }
    Optional<TimerId> unacknowledged = unacknowledged(d, side);
    if (unacknowledged.isPresent()) {
      updateIfPossible(d, renewal, unacknowledged.get());
      return;
    }
    boolean waits = renewal.attempts() > 0 && d.holds(timer(side));
    if (!waits
        && Edits.unacknowledgedInvite(d, side).isEmpty()
        && OfferAnswer.maySend(leg.offers(), Message.INVITE, true)) {
      ask(d, renewal, Method.INVITE);
    }
  }

  /** Whether a re-INVITE of a peer is still to be answered, by the other side or to it. */
  private static boolean isBeingAnswered(Draft d) {
    return d.reinvite
        .filter(
            r ->
                r.in() == IncomingInvite.State.PROCEEDING
                    || r.sent().isPresent() && r.out().isOpen())
        .isPresent();
  }

  /** The timer of the ACK that this side owes for a 2xx of ours, if it does. */
  private static Optional<TimerId> unacknowledged(Draft d, Side side) {
    Optional<TimerId> ofReinvite =
        d.reinvite
            .filter(r -> r.from() == side && r.in() == IncomingInvite.State.ANSWERED)
            .map(r -> new TimerId(Kind.REINVITE_ACK, r.ordinal()));
    return side == Side.CALLER && d.caller.state() == IncomingInvite.State.ANSWERED
        ? Optional.of(TimerId.of(Kind.ACK))
        : ofReinvite;
  }

  /**
   * Until the ACK comes no INVITE may be sent (RFC 3261 14.1), but an UPDATE (RFC 3311 5.1), where
   * the peer says that it takes one: once, and not before the 2xx was sent again, lest it come
   * before that.
   */
  private void updateIfPossible(Draft d, Renewal renewal, TimerId unacknowledged) {
    Side side = renewal.side();
    if (renewal.attempts() > 0 || !takesUpdate(d, side)) {
      return;
    }
    Instant answeredAt =
        Optional.ofNullable(d.timers().get(unacknowledged))
            .map(deadline -> deadline.minus(ending.transactionTime()))
            .orElse(d.now);
    Duration early = Duration.between(d.now, answeredAt.plus(UPDATE_AFTER));
    if (early.isPositive()) {
      if (!d.holds(timer(side))) {
        d.start(timer(side), early);
      }
    } else if (OfferAnswer.maySend(d.leg(side).offers(), Message.UPDATE, true)) {
      ask(d, renewal, Method.UPDATE);
    }
  }

  private static boolean takesUpdate(Draft d, Side side) {
    SipRequest request =
        d.reinvite.filter(r -> r.from() == side).map(Reinvite::request).orElseGet(d.caller::invite);
    return request.headers(HeaderName.ALLOW).stream()
        .flatMap(value -> Arrays.stream(value.split(",")))
        .anyMatch(each -> each.strip().equals(Method.UPDATE.name()));
  }

  private static TimerId timer(Side side) {
    return new TimerId(Kind.RENEWAL, side == Side.CALLER ? 0 : 1);
  }

  private void ask(Draft d, Renewal renewal, Method method) {
    Side side = renewal.side();
    Leg leg = d.leg(side);
    Optional<Endpoint> local = messages.local(leg.dialog().hop());
    if (local.isEmpty()) {
      giveUp(d);
      return;
    }
    LegSdp told =
        renewal.offersOther()
            ? negotiation.offerOfOther(d, side)
            : leg.sdp().ours().moving(d.media.addresses());
    Dialog dialog = leg.dialog().withNextCSeq();
    SipRequest request =
        messages
            .inDialog(dialog, method, ending.nextBranch(d), local.get())
            .contact(dialog.contact())
            .header(HeaderName.ALLOW, Messages.ALLOW)
            .body(Messages.SDP, told.body().toBytes())
            .build();
    Message message = method.equals(Method.UPDATE) ? Message.UPDATE : Message.INVITE;
    d.replace(leg.with(dialog).with(leg.sdp().telling(told)).tells(message, true));
    d.replace(renewal.sending(request, leg.sdp()));
    d.request(request, dialog.hop());
    d.start(timer(side), ending.transactionTime());
  }

  /** The re-INVITE of ours that has this branch. */
  static Optional<Renewal> sentAs(Draft d, Branch branch) {
    for (Renewal each : d.renewals) {
      if (each.isSentAs(branch)) {
        return Optional.of(each);
      }
    }
    return Optional.empty();
  }

  /** Whether a side has been asked and has not answered. */
  static boolean isAsking(Draft d) {
    return d.renewals.stream().anyMatch(each -> each.sent().isPresent());
  }

  /** A response to a re-INVITE of ours. */
  void response(Draft d, Renewal renewal, Input.ResponseArrived in) {
    int status = in.response().status();
    if (status >= 300) {
      failed(d, renewal, status, in.response().header(HeaderName.RETRY_AFTER));
    } else if (status >= 200) {
      success(d, renewal, in);
    }
  }

  private void success(Draft d, Renewal renewal, Input.ResponseArrived in) {
    Side side = renewal.side();
    SipResponse response = in.response();
    Leg leg =
        d.leg(side)
            .hears(
                renewal.isUpdate() ? Message.UPDATE_SUCCESS : Message.SUCCESS, response.hasBody());
    Optional<NameAddr> contact = response.contacts().stream().findFirst();
    d.replace(
        contact.isPresent()
            ? leg.with(leg.dialog().withRemoteTarget(contact.get().uri(), in.hop()))
            : leg);
    d.stop(timer(side));
    d.remove(side);
    d.change();
    boolean ended = d.termination.isPresent();
    Negotiation.Renewed renewed =
        ended ? Negotiation.Renewed.SAME : negotiation.renewed(d, side, response);
    if (!renewal.isUpdate()) {
      ending.sendAck(d, side, renewal.sent().orElseThrow().cSeq().number(), Optional.empty());
    }
    if (ended) {
      return;
    }
    if (renewed == Negotiation.Renewed.UNUSABLE) {
      ending.end(d, new Termination(Result.COMPLETED, Reason.NOT_ACCEPTABLE, 200));
      return;
    }
    if (renewal.again()) {
      d.replace(Renewal.due(d.leg(side), true));
    }
    if (renewed == Negotiation.Renewed.CHANGED && !renewal.offersOther()) {
      // What this side answered to an offer of the other's is agreed, and goes back to nobody.
      Side other = side.other();
      d.replace(
          d.renewal(other)
              .map(Renewal::offeringOther)
              .orElseGet(() -> Renewal.due(d.leg(other), true)));
    }
  }

  /** A re-INVITE of ours gets no response. */
  void requestFailed(Draft d, Renewal renewal, boolean timedOut) {
    failed(d, renewal, timedOut ? 408 : 503, Optional.empty());
  }

  private void failed(Draft d, Renewal renewal, int status, Optional<String> retryAfter) {
    Side side = renewal.side();
    Leg leg =
        d.leg(side).hears(renewal.isUpdate() ? Message.UPDATE_FAILURE : Message.FAILURE, false);
    d.replace(leg.with(leg.sdp().backTo(renewal.before())));
    d.stop(timer(side));
    d.change();
    if (d.termination.isPresent()) {
      d.remove(side);
      return;
    }
    if (renewal.isUpdate()) {
      // It may not even have our 2xx yet. After the ACK it is asked in the usual way.
      d.replace(renewal.waiting());
      return;
    }
    Optional<Duration> wait = wait(d, renewal, status, retryAfter);
    if (status == 408 || status == 481) {
      // RFC 3261 12.2.1.2
      d.remove(side);
      ending.end(d, new Termination(Result.COMPLETED, Reason.DIALOG_LOST, 200));
    } else if (wait.isEmpty() || renewal.attempts() + 1 >= MAX_ATTEMPTS) {
      d.remove(side);
      giveUp(d);
    } else {
      d.replace(renewal.waiting());
      d.start(timer(side), wait.get());
    }
  }

  /** For how long to wait before the next attempt; empty: it would be refused again. */
  private static Optional<Duration> wait(
      Draft d, Renewal renewal, int status, Optional<String> retryAfter) {
    // Each attempt has another branch: the peer's own attempts and ours do not keep step.
    int drawn = (d.key.text() + renewal.sent().flatMap(r -> r.topVia().branch())).hashCode();
    if (status == 491) {
      // RFC 3261 14.1: "between 2.1 and 4 seconds in units of 10 ms" for the owner of the Call-ID,
      // which we are towards the callee; "between 0 and 2 seconds" for the other.
      return Optional.of(
          Duration.ofMillis(
              renewal.side() == Side.CALLEE
                  ? 2_100 + 10 * Math.floorMod(drawn, 191)
                  : 10 * Math.floorMod(drawn, 201)));
    }
    if (status != 500 && status != 503 && status != 504) {
      return Optional.empty();
    }
    Duration wait =
        retryAfter
            .flatMap(Reanchoring::seconds)
            .orElse(Duration.ofMillis(500 + 10 * Math.floorMod(drawn, 100)));
    return Optional.of(wait.compareTo(MAX_RETRY_AFTER) > 0 ? MAX_RETRY_AFTER : wait);
  }

  /** RFC 3261 20.33: seconds first; a comment or parameters may follow. */
  private static Optional<Duration> seconds(String retryAfter) {
    int end = 0;
    while (end < retryAfter.length() && Character.isDigit(retryAfter.charAt(end)) && end < 6) {
      end++;
    }
    return end == 0
        ? Optional.empty()
        : Optional.of(Duration.ofSeconds(Integer.parseInt(retryAfter.substring(0, end))));
  }

  /** A side did not answer in time; or it is to be asked again, which comes by itself. */
  void timer(Draft d, int ordinal) {
    Optional<Renewal> renewal = d.renewal(ordinal == 0 ? Side.CALLER : Side.CALLEE);
    if (renewal.filter(each -> each.sent().isPresent()).isPresent()) {
      requestFailed(d, renewal.get(), true);
    }
  }

  /**
   * Another node goes on: what was asked is asked again, byte for byte where the answer comes here.
   */
  void resume(Draft d) {
    for (Renewal each : List.copyOf(d.renewals)) {
      if (each.sent().isEmpty()) {
        continue;
      }
      Destination hop = d.leg(each.side()).dialog().hop();
      if (messages.isSentFromElsewhere(each.sent().get(), hop)) {
        // What this side answered is not known: it is asked once more, from here.
        failed(d, each, 503, Optional.empty());
      } else {
        d.effect(new Effect.ResumeClient(each.sent().get(), hop, ending.transactionTime()));
        if (d.termination.isEmpty()) {
          d.start(timer(each.side()), ending.transactionTime());
        }
      }
    }
    if (d.media.anchor() == Anchor.FIRM && d.media.released() == MediaPart.Released.NO) {
      ending.releaseFormer(d);
    }
  }
}
