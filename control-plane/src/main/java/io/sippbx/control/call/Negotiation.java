package io.sippbx.control.call;

import io.sippbx.control.call.MediaPart.Stage;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.media.StreamEnd;
import io.sippbx.control.media.StreamSpec;
import io.sippbx.control.offer.AnswerCheck;
import io.sippbx.control.offer.CodecName;
import io.sippbx.control.offer.CodecPriority;
import io.sippbx.control.offer.End;
import io.sippbx.control.offer.LegSdp;
import io.sippbx.control.offer.MediaPlan;
import io.sippbx.control.offer.OfferCheck;
import io.sippbx.control.offer.SdpBody;
import io.sippbx.control.offer.Warning;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.sdp.MediaDescription;
import io.sippbx.shared.sdp.SdpLimits;
import io.sippbx.shared.sdp.SessionDescription;
import java.util.Optional;

/**
 * What the sides say of the session, carried across: each description is held against the other's,
 * rewritten for the other leg, and turned into what the media node shall hold.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3264">RFC 3264</a>
 */
final class Negotiation {

  private static final String WARN_AGENT = "sip-pbx";

  private final CallSettings settings;
  private final CodecPriority priority;

  Negotiation(CallSettings settings) {
    this.settings = settings;
    this.priority = new CodecPriority(settings.codecPriority());
  }

  /** What the body of a message is. */
  sealed interface Body {

    /** There is none. */
    record None() implements Body {}

    /** A session description. */
    record Session(SessionDescription description) implements Body {}

    /** Something that is not taken. */
    record Refused(int status, Optional<Warning> warning) implements Body {

      /** Adds to a response what tells the peer why. */
      SipResponse.Builder explain(SipResponse.Builder response) {
        warning.ifPresent(w -> response.header(HeaderName.WARNING, w.header(WARN_AGENT)));
        if (status == 415) {
          response.header(HeaderName.ACCEPT, SdpBody.ACCEPT);
          response.header(HeaderName.ACCEPT_ENCODING, SdpBody.ACCEPT_ENCODING);
        }
        return response;
      }
    }
  }

  /** What became of a callee's 2xx. */
  sealed interface Answer {

    /** It can be passed on with this body. */
    record Ready(Fork fork, Optional<byte[]> body) implements Answer {}

    /** The media node is asked for ports first. */
    record WaitForMedia() implements Answer {}

    /** It does not fit what was offered. */
    record Unusable() implements Answer {}
  }

  /** What became of an answer, or of an offer in a 2xx, within the dialogs. */
  sealed interface Reanswer {

    /** It can be passed on with this body. */
    record Ready(Optional<byte[]> body) implements Reanswer {}

    /** The media node is asked for ports first. */
    record WaitForMedia() implements Reanswer {}

    /** It does not fit what was offered. */
    record Unusable() implements Reanswer {}
  }

  /** What became of an offer within the dialogs. */
  enum Reoffer {
    READY,
    WAIT_FOR_MEDIA,
    UNUSABLE
  }

  /** Reads what a message says of the session. */
  Body read(SipMessage message) {
    SdpBody body =
        SdpBody.of(
            message.contentType(),
            message.header(HeaderName.CONTENT_ENCODING),
            message.header(HeaderName.CONTENT_DISPOSITION),
            message.body(),
            SdpLimits.DEFAULT);
    return switch (body) {
      case SdpBody.None none -> new Body.None();
      case SdpBody.Described described -> new Body.Session(described.description());
      case SdpBody.UnsupportedType type -> new Body.Refused(415, Optional.empty());
      case SdpBody.UnsupportedEncoding encoding -> new Body.Refused(415, Optional.empty());
      case SdpBody.Unreadable unreadable ->
          new Body.Refused(488, Optional.of(unreadable.warning()));
    };
  }

  private Optional<SessionDescription> described(SipMessage message) {
    return read(message) instanceof Body.Session session
        ? Optional.of(session.description())
        : Optional.empty();
  }

  /** Plans the streams of the caller's offer; refused when none of it can be relayed. */
  Optional<Body.Refused> openForOffer(Draft d, SessionDescription offer) {
    Optional<Warning> refusal = OfferCheck.refusal(offer);
    if (refusal.isPresent()) {
      return Optional.of(new Body.Refused(488, refusal));
    }
    MediaPlan plan = d.media.plan().offered(End.A, offer);
    if (!plan.streams().isEmpty()) {
      d.media = d.media.wanting(plan, Stage.TENTATIVE);
    }
    return Optional.empty();
  }

  /** The call is committed: its session is not dropped any more, however long callees ring. */
  void keep(Draft d) {
    want(d, d.media.plan(), Stage.KEPT);
  }

  /** The instruction for what is wanted now. The session must have a node. */
  Effect apply(Draft d) {
    return apply(d, false);
  }

  private Effect apply(Draft d, boolean soon) {
    return new Effect.ApplyMedia(
        d.media.node().orElseThrow(), d.media.spec(d.key, settings.mediaTimeout()), soon);
  }

  /** The caller's offer as a callee is told it; nothing when the caller made none. */
  LegSdp offerForCallee(Draft d, int legOrdinal, Endpoint local) {
    LegSdp start = LegSdp.start(End.B, sessionId(d.key, Side.CALLEE, legOrdinal), local.ip());
    return described(d.caller.invite())
        .map(offer -> start.offering(offer, d.media.addresses(), priority))
        .orElse(start);
  }

  /** The beginning of what a caller-side dialog is told. */
  SdpState towardsCaller(Draft d, int forkOrdinal) {
    IpAddress origin = d.caller.flow().local().ip();
    LegSdp start = LegSdp.start(End.A, sessionId(d.key, Side.CALLER, forkOrdinal), origin);
    return new SdpState(start, described(d.caller.invite()));
  }

  /** Early media of a fork: the body for the caller, if there is a description that can be used. */
  Optional<byte[]> provisional(Draft d, int legOrdinal, Fork fork, SipResponse response) {
    Optional<SessionDescription> answer = described(response);
    if (answer.isEmpty() || fork.callee().ours().told().isEmpty()) {
      // Without an offer of ours it could only be one, which needs a reliable response (RFC 3262
      // 5).
      return Optional.empty();
    }
    AnswerCheck check = AnswerCheck.of(fork.callee().ours().body(), answer.get());
    if (check.outcome() == AnswerCheck.Outcome.UNUSABLE) {
      return Optional.empty();
    }
    Fork told = answering(d, fork, check.usable());
    d.replace(d.callee(legOrdinal).with(told));
    d.change();
    want(d, d.media.plan().early(offerOf(told), check.usable()), Stage.KEPT);
    return Optional.of(told.caller().ours().body().toBytes());
  }

  private static SessionDescription offerOf(Fork fork) {
    return fork.caller().theirs().orElseThrow();
  }

  /**
   * The callee's answer for the caller. One that was told already is told again as it was, wherever
   * the session is by now: "that exact same answer" (RFC 3261 13.2.1); the first is the one that
   * counts, and who heard it is told by a re-INVITE where the media went.
   */
  private static Fork answering(Draft d, Fork fork, SessionDescription usable) {
    boolean again =
        fork.caller().ours().told().isPresent()
            && fork.callee().theirs().filter(usable::sameApartFromOrigin).isPresent();
    if (again) {
      return fork.with(fork.callee().hearing(usable), fork.caller());
    }
    LegSdp towardsCaller =
        fork.caller().ours().answering(usable, offerOf(fork), d.media.addresses());
    return fork.with(fork.callee().hearing(usable), fork.caller().telling(towardsCaller));
  }

  /** A callee's 2xx. */
  Answer answer(Draft d, Fork fork, SipResponse response) {
    Optional<SessionDescription> said = described(response);
    return fork.callee().ours().told().isPresent()
        ? answerToOffer(d, fork, said.or(() -> fork.callee().theirs()))
        : offerInAnswer(d, fork, said);
  }

  private Answer answerToOffer(Draft d, Fork fork, Optional<SessionDescription> said) {
    if (said.isEmpty()) {
      return new Answer.Unusable();
    }
    AnswerCheck check = AnswerCheck.of(fork.callee().ours().body(), said.get());
    if (check.outcome() == AnswerCheck.Outcome.UNUSABLE) {
      return new Answer.Unusable();
    }
    Fork told = answering(d, fork, check.usable());
    want(d, d.media.plan().agreed(offerOf(told), check.usable()), Stage.WATCHED);
    return new Answer.Ready(told, Optional.of(told.caller().ours().body().toBytes()));
  }

  private Answer offerInAnswer(Draft d, Fork fork, Optional<SessionDescription> said) {
    if (said.isEmpty() || OfferCheck.refusal(said.get()).isPresent()) {
      return new Answer.Unusable();
    }
    want(d, d.media.plan().offered(End.B, said.get()), Stage.WATCHED);
    return d.media.hasAllAddresses()
        ? resumed(d, fork, said.get())
        : d.media.node().isPresent() ? new Answer.WaitForMedia() : new Answer.Unusable();
  }

  /** The media node has opened the streams of the offer in a callee's 2xx. */
  Answer.Ready resumed(Draft d, Fork fork, SipResponse response) {
    return resumed(d, fork, described(response).orElseThrow());
  }

  private Answer.Ready resumed(Draft d, Fork fork, SessionDescription offer) {
    LegSdp towardsCaller = fork.caller().ours().offering(offer, d.media.addresses(), priority);
    Fork told = fork.with(fork.callee().hearing(offer), fork.caller().telling(towardsCaller));
    return new Answer.Ready(told, Optional.of(towardsCaller.body().toBytes()));
  }

  /** The answer to an offer that we made in a 2xx: it comes in the ACK. */
  Reanswer delayedAnswer(Draft d, Side from, SipRequest ack) {
    Optional<SessionDescription> answer = described(ack);
    Leg answering = d.leg(from);
    Leg offering = d.leg(from.other());
    Optional<SessionDescription> offer = offering.sdp().theirs();
    if (answer.isEmpty() || offer.isEmpty() || answering.sdp().ours().told().isEmpty()) {
      return new Reanswer.Unusable();
    }
    AnswerCheck check = AnswerCheck.of(answering.sdp().ours().body(), answer.get());
    if (check.outcome() == AnswerCheck.Outcome.UNUSABLE) {
      return new Reanswer.Unusable();
    }
    LegSdp told = offering.sdp().ours().answering(check.usable(), offer.get(), d.media.addresses());
    d.replace(answering.with(answering.sdp().hearing(check.usable())));
    d.replace(offering.with(offering.sdp().telling(told)));
    agree(d);
    return new Reanswer.Ready(Optional.of(told.body().toBytes()));
  }

  /** An offer within the dialogs: what it needs of the media node before it can be passed on. */
  Reoffer reoffer(Draft d, Side from, SessionDescription offer) {
    if (OfferCheck.refusal(offer).isPresent()) {
      return Reoffer.UNUSABLE;
    }
    want(d, d.media.plan().offered(end(from), offer), Stage.WATCHED);
    if (d.media.hasAllAddresses()) {
      return Reoffer.READY;
    }
    return d.media.node().isPresent() ? Reoffer.WAIT_FOR_MEDIA : Reoffer.UNUSABLE;
  }

  /** The body for the re-INVITE that is passed on; empty when its sender made no offer. */
  Optional<byte[]> reofferFor(Draft d, Side to) {
    Optional<SessionDescription> offer = described(d.reinvite.orElseThrow().request());
    if (offer.isEmpty()) {
      return Optional.empty();
    }
    Leg leg = d.leg(to);
    LegSdp told = leg.sdp().ours().offering(offer.get(), d.media.addresses(), priority);
    d.replace(leg.with(leg.sdp().telling(told)));
    return Optional.of(told.body().toBytes());
  }

  /** The 2xx to the re-INVITE that was passed on. */
  Reanswer reanswer(Draft d, SipResponse response) {
    Reinvite reinvite = d.reinvite.orElseThrow();
    Optional<SessionDescription> said = described(response);
    if (said.isEmpty()) {
      return new Reanswer.Unusable();
    }
    Side other = reinvite.from().other();
    if (reinvite.delayed()) {
      if (OfferCheck.refusal(said.get()).isPresent()) {
        return new Reanswer.Unusable();
      }
      want(d, d.media.plan().offered(end(other), said.get()), Stage.WATCHED);
      return d.media.hasAllAddresses()
          ? resumedReoffer(d, reinvite, response)
          : d.media.node().isPresent() ? new Reanswer.WaitForMedia() : new Reanswer.Unusable();
    }
    Leg answering = d.leg(other);
    Leg offering = d.leg(reinvite.from());
    SessionDescription offer = described(reinvite.request()).orElseThrow();
    AnswerCheck check = AnswerCheck.of(answering.sdp().ours().body(), said.get());
    if (check.outcome() == AnswerCheck.Outcome.UNUSABLE) {
      return new Reanswer.Unusable();
    }
    LegSdp told = offering.sdp().ours().answering(check.usable(), offer, d.media.addresses());
    d.replace(answering.with(answering.sdp().hearing(check.usable())));
    d.replace(offering.with(offering.sdp().hearing(offer).telling(told)));
    agree(d);
    return new Reanswer.Ready(Optional.of(told.body().toBytes()));
  }

  /** The media node has opened the streams of the offer in the 2xx to a re-INVITE. */
  Reanswer.Ready resumedReoffer(Draft d, Reinvite reinvite, SipResponse response) {
    SessionDescription offer = described(response).orElseThrow();
    Leg offering = d.leg(reinvite.from().other());
    Leg answering = d.leg(reinvite.from());
    LegSdp told = answering.sdp().ours().offering(offer, d.media.addresses(), priority);
    d.replace(offering.with(offering.sdp().hearing(offer)));
    d.replace(answering.with(answering.sdp().telling(told)));
    return new Reanswer.Ready(Optional.of(told.body().toBytes()));
  }

  /** What became of the answer to a re-INVITE of our own. */
  enum Renewed {
    /** The session is as before, wherever its end is. */
    SAME,
    /** Other codecs, directions or streams: the other side must be offered them. */
    CHANGED,
    /** It does not fit what was offered. */
    UNUSABLE
  }

  /** The 2xx of this side to a re-INVITE of our own. */
  Renewed renewed(Draft d, Side side, SipResponse response) {
    Optional<SessionDescription> said = described(response);
    Leg leg = d.leg(side);
    if (said.isEmpty()) {
      // RFC 3261 13.2.2.4 wants an answer; without one what was agreed goes on.
      return response.hasBody() ? Renewed.UNUSABLE : Renewed.SAME;
    }
    AnswerCheck check = AnswerCheck.of(leg.sdp().ours().body(), said.get());
    if (check.outcome() == AnswerCheck.Outcome.UNUSABLE) {
      return Renewed.UNUSABLE;
    }
    d.replace(leg.with(leg.sdp().hearing(check.usable())));
    MediaPlan before = d.media.plan();
    agree(d);
    tellHold(d);
    return isSameSession(before, d.media.plan()) ? Renewed.SAME : Renewed.CHANGED;
  }

  private static boolean isSameSession(MediaPlan before, MediaPlan after) {
    if (before.streams().size() != after.streams().size()) {
      return false;
    }
    for (int i = 0; i < before.streams().size(); i++) {
      StreamSpec was = before.streams().get(i);
      StreamSpec is = after.streams().get(i);
      if (was.index() != is.index()
          || was.form() != is.form()
          || !isSameUse(was.a(), is.a())
          || !isSameUse(was.b(), is.b())) {
        return false;
      }
    }
    return true;
  }

  private static boolean isSameUse(StreamEnd was, StreamEnd is) {
    return was.maySend() == is.maySend()
        && was.wantsReceive() == is.wantsReceive()
        && was.payloadTypes().equals(is.payloadTypes());
  }

  /** What the other side said last, as an offer to this one. */
  LegSdp offerOfOther(Draft d, Side side) {
    LegSdp ours = d.leg(side).sdp().ours();
    return d.leg(side.other())
        .sdp()
        .theirs()
        .map(said -> ours.offering(said, d.media.addresses(), priority))
        .orElseGet(() -> ours.moving(d.media.addresses()));
  }

  /** A re-INVITE was refused: what was agreed before it goes on. */
  void restore(Draft d) {
    Reinvite.Before before = d.reinvite.orElseThrow().before();
    d.replace(d.leg(Side.CALLER).with(d.leg(Side.CALLER).sdp().backTo(before.caller())));
    d.replace(d.leg(Side.CALLEE).with(d.leg(Side.CALLEE).sdp().backTo(before.callee())));
    // Planned anew and not put back, so that latch epochs never fall.
    agree(d);
  }

  private void agree(Draft d) {
    Optional<SessionDescription> a = d.leg(Side.CALLER).sdp().theirs();
    Optional<SessionDescription> b = d.leg(Side.CALLEE).sdp().theirs();
    if (a.isPresent() && b.isPresent()) {
      want(d, d.media.plan().agreed(a.get(), b.get()), Stage.WATCHED);
    }
  }

  /** Tells the media node, if that is news. */
  private void want(Draft d, MediaPlan plan, Stage stage) {
    if (!d.media.wouldChange(plan, stage) || d.media.node().isEmpty()) {
      return;
    }
    // That it is kept is all that is new: the node holds it for 90 s anyway (ADR 4).
    boolean onlyKept = stage == Stage.KEPT && plan.streams().equals(d.media.plan().streams());
    d.media = d.media.wanting(plan, stage);
    d.effect(apply(d, onlyKept));
    d.change();
  }

  /** The codec of the call, for its record; empty without audio. */
  String codec(Draft d) {
    return d.leg(Side.CALLEE).sdp().theirs().flatMap(CodecName::of).orElse("");
  }

  /** Whether this side wants to hear nothing: it has put the other on hold. */
  private static boolean isHolding(Draft d, Side side) {
    Optional<SessionDescription> said = d.leg(side).sdp().theirs();
    if (said.isEmpty()) {
      return false;
    }
    boolean active = false;
    for (MediaDescription line : said.get().media()) {
      if (line.isActive()) {
        active = true;
        if (line.effectiveDirection().receives()) {
          return false;
        }
      }
    }
    return active;
  }

  /** Tells the world when a side puts the other on hold or takes it off. */
  void tellHold(Draft d) {
    boolean callerHolds = isHolding(d, Side.CALLER);
    boolean calleeHolds = isHolding(d, Side.CALLEE);
    if (callerHolds != d.facts.callerHolds()) {
      d.happening(callerHolds ? new CallHappening.Held(true) : new CallHappening.Resumed(true));
    }
    if (calleeHolds != d.facts.calleeHolds()) {
      d.happening(calleeHolds ? new CallHappening.Held(false) : new CallHappening.Resumed(false));
    }
    d.facts = Edits.holding(d.facts, callerHolds, calleeHolds);
  }

  private static End end(Side side) {
    return side == Side.CALLER ? End.A : End.B;
  }

  /** Numeric, unique with our address, the same on any node. */
  private static long sessionId(CallKey key, Side side, int ordinal) {
    long id = 0;
    for (int i = 0; i < 8; i++) {
      char c = key.text().charAt(i);
      id = id << 5 | (c >= 'a' ? c - 'a' : c - '2' + 26);
    }
    return id * 1_000 + ordinal * 2L + (side == Side.CALLER ? 0 : 1);
  }
}
