package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.event.CallHappening;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.SessionSpec;
import io.sippbx.control.media.StreamAddresses;
import io.sippbx.control.media.StreamCounts;
import io.sippbx.control.media.StreamSpec;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.CSeq;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.store.RecordCodec;
import io.sippbx.control.store.state.CallCodec;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * A call as seen by the pure decision: a caller at 192.0.2.10, callees at 192.0.2.20 and up, the
 * edge at 198.51.100.1, its relay at 198.51.100.2. Each step gives what the decision wants done.
 */
final class Scene {

  static final Endpoint EDGE = Endpoint.of("198.51.100.1", 5060);
  static final Endpoint CALLER = Endpoint.of("192.0.2.10", 5062);
  static final Flow CALLER_FLOW = Flow.udp(EDGE, CALLER);
  static final NodeId MEDIA_NODE = new NodeId("media-1");
  static final CallSettings SETTINGS = settings(7);

  private static CallSettings settings(long incarnation) {
    return new CallSettings(
        new NodeId("edge-1"),
        new Incarnation(incarnation),
        TimerSettings.RFC_3261,
        Duration.ofSeconds(60),
        Duration.ofHours(4),
        true,
        10,
        Duration.ofSeconds(60),
        List.of("opus", "pcmu", "pcma"),
        "sip-pbx");
  }

  final List<Effect> effects = new ArrayList<>();
  final List<CallHappening> happenings = new ArrayList<>();
  final CallKeys keys = new CallKeys("0123456789abcdef".getBytes(StandardCharsets.US_ASCII));
  private final CallDecider decider;
  Instant now = Instant.parse("2026-01-01T00:00:00Z");
  Optional<Call> call = Optional.empty();
  Decision.Commit lastCommit = Decision.Commit.NONE;
  SipRequest invite;

  /** What the caller's INVITE comes by. */
  Flow callerFlow = CALLER_FLOW;

  /** The address of the media node that answers. */
  String mediaIp = "198.51.100.2";

  /** The media node that takes the session, if one does. */
  Optional<NodeId> mediaNode = Optional.of(MEDIA_NODE);

  private int requests;

  Scene() {
    this(SETTINGS);
  }

  Scene(CallSettings settings) {
    this(settings, EDGE);
  }

  private Scene(CallSettings settings, Endpoint edge) {
    decider =
        new CallDecider(
            settings, (protocol, peer) -> peer.isV6() ? Optional.empty() : Optional.of(edge));
    invite = invite(offer("192.0.2.10", 40000));
  }

  /** The same call at the node's next start. */
  Scene startedAgain() {
    return goesOn(new Scene(settings(8)));
  }

  /** The same call at a node that has an address of its own. */
  Scene at(Endpoint other) {
    return goesOn(new Scene(settings(8), other));
  }

  private Scene goesOn(Scene again) {
    again.call = call;
    again.now = now;
    again.invite = invite;
    again.requests = requests;
    return again;
  }

  /** The caller's INVITE with this body; empty: without offer. */
  static SipRequest invite(String sdp) {
    SipRequest.Builder builder =
        SipRequest.builder(Method.INVITE, SipUri.of("1008", "198.51.100.1"))
            .via(Via.of(TransportProtocol.UDP, CALLER, new Branch("z9hG4bK-caller-1")))
            .maxForwards(70)
            .from(
                NameAddr.of("Alice", SipUri.of("1004", "192.0.2.10")).withTag(new Tag("alice-tag")))
            .to(NameAddr.of(SipUri.of("1008", "198.51.100.1")))
            .callId(new CallId("call-1@192.0.2.10"))
            .cSeq(new CSeq(1, Method.INVITE))
            .contact(NameAddr.of(SipUri.of("1004", CALLER)));
    return sdp.isEmpty()
        ? builder.build()
        : builder.body("application/sdp", sdp.getBytes(StandardCharsets.US_ASCII)).build();
  }

  static String offer(String ip, int port) {
    return sdp(ip, port, "sendrecv", "0 8 101");
  }

  static String sdp(String ip, int port, String direction, String formats) {
    return String.join(
        "\r\n",
        "v=0",
        "o=- 1 1 IN IP4 " + ip,
        "s=-",
        "c=IN IP4 " + ip,
        "t=0 0",
        "m=audio " + port + " RTP/AVP " + formats,
        "a=rtpmap:101 telephone-event/8000",
        "a=" + direction,
        "");
  }

  static Endpoint callee(int n) {
    return Endpoint.of("192.0.2." + (20 + n), 5060);
  }

  static Target target(int n) {
    return target(n, n);
  }

  /** The nth callee, served at the addresses of these. */
  static Target target(int n, int... servedAt) {
    var hops = new ArrayList<Destination>();
    for (int at : servedAt) {
      hops.add(Destination.to(TransportProtocol.UDP, callee(at)));
    }
    return new Target(SipUri.of("1008", callee(n)), List.of(), hops);
  }

  /** Our INVITE to the nth leg gets no response. */
  Scene inviteFails(int leg, boolean timedOut) {
    Branch branch = inviteOf(leg).topVia().branch().orElseThrow();
    return apply(new Input.RequestFailed(branch, Method.INVITE, timedOut));
  }

  static ServerTransactionId transaction(SipRequest request) {
    return ServerTransactionId.of(request);
  }

  /** The first INVITE, towards these groups of targets. */
  Scene begin(List<List<Target>> route) {
    Decision decision =
        decider.begin(
            keys.derive(invite),
            new Input.InviteArrived(
                transaction(invite),
                invite,
                callerFlow,
                Destination.over(callerFlow),
                route,
                mediaNode),
            now);
    take(decision);
    return this;
  }

  /** The first INVITE, for which a lease of the cluster's limit was taken. */
  Scene beginLeased() {
    take(
        decider.begin(
            keys.derive(invite),
            new Input.InviteArrived(
                transaction(invite),
                invite,
                CALLER_FLOW,
                Destination.over(CALLER_FLOW),
                List.of(List.of(target(0))),
                Optional.of(MEDIA_NODE),
                true),
            now));
    return this;
  }

  /** The first INVITE towards one target. */
  Scene begin() {
    return begin(List.of(List.of(target(0))));
  }

  Scene apply(Input input) {
    effects.clear();
    Optional<Call> before = call;
    take(decider.decide(call.orElseThrow(), input, now));
    if (lastCommit == Decision.Commit.NONE) {
      // Else the node that decided it would hold something that it never writes down.
      assertThat(call).as("what is not to be written down").isEqualTo(before);
    }
    return this;
  }

  private void take(Decision decision) {
    lastCommit = decision.commit();
    call = decision.call().map(Scene::storedAndRead);
    effects.addAll(decision.beside());
    effects.addAll(decision.effects());
    happenings.addAll(decision.happenings());
  }

  /** Every state that a test brings about can be stored, and is the same when it is read. */
  private static Call storedAndRead(Call call) {
    var codec = new CallCodec();
    assertThat(codec.decode(codec.encode(call))).isEqualTo(new RecordCodec.Read<>(call));
    return call;
  }

  CallKey key() {
    return keys.derive(invite);
  }

  /** The media node answers the last Apply. */
  Scene mediaHolds() {
    Effect.ApplyMedia apply = last(Effect.ApplyMedia.class);
    return mediaHolds(apply.spec());
  }

  /** The media node answers the last Apply, if there was one. */
  Scene mediaHoldsIfAsked() {
    return all(Effect.ApplyMedia.class).isEmpty() ? this : mediaHolds();
  }

  Scene mediaHolds(SessionSpec spec) {
    var addresses = new ArrayList<StreamAddresses>();
    for (StreamSpec stream : spec.streams()) {
      int base = 10_000 + stream.index() * 4;
      int a = stream.a().pinnedPort() == 0 ? base : stream.a().pinnedPort();
      int b = stream.b().pinnedPort() == 0 ? base + 2 : stream.b().pinnedPort();
      addresses.add(
          new StreamAddresses(
              stream.index(),
              Endpoint.of(mediaIp, a),
              Endpoint.of(mediaIp, a + 1),
              Endpoint.of(mediaIp, b),
              Endpoint.of(mediaIp, b + 1)));
    }
    return apply(
        new Input.MediaApplied(
            spec.revision(), new MediaAnswer.Held(spec.revision(), addresses, List.of())));
  }

  /** Everybody answers what is open towards him: our BYEs, and INVITEs that are cancelled. */
  Scene closesWhatIsOpen() {
    for (Call.Bye bye : call.orElseThrow().byes()) {
      response(answer(bye.sent(), 200, "", "", b -> b), List.of());
    }
    for (CalleeLeg leg : call.orElseThrow().callees()) {
      if (leg.state().isOpen()) {
        callee(leg.ordinal(), 487, "bob", "");
      }
    }
    return this;
  }

  Scene mediaReleased() {
    var counts =
        new StreamCounts(
            0,
            new StreamCounts.Direction(100, 17_200, 1, 3),
            new StreamCounts.Direction(90, 15_480, 0, 4));
    return mediaReleased(new MediaAnswer.Held(9, List.of(), List.of(counts)));
  }

  /** The last media node of the call answers the Release. */
  Scene mediaReleased(MediaAnswer answer) {
    MediaPart media = call.orElseThrow().media();
    return apply(
        new Input.MediaReleased(media.node().orElse(MEDIA_NODE), media.revision(), answer));
  }

  /** Our INVITE to the nth leg. */
  SipRequest inviteOf(int leg) {
    return call.orElseThrow().callees().get(leg).invite();
  }

  /** The nth callee responds to our INVITE. */
  Scene callee(int leg, int status, String tag, String sdp) {
    return response(calleeResponse(leg, status, tag, sdp), List.of());
  }

  SipResponse calleeResponse(int leg, int status, String tag, String sdp) {
    return answer(
        inviteOf(leg),
        status,
        tag,
        sdp,
        builder -> builder.contact(NameAddr.of(SipUri.of("1008", callee(leg)))));
  }

  /** A response to a request of ours. */
  static SipResponse answer(
      SipRequest request,
      int status,
      String tag,
      String sdp,
      UnaryOperator<SipResponse.Builder> more) {
    SipResponse.Builder builder = SipResponse.to(request, status);
    if (status > 100 && request.toTag().isEmpty()) {
      builder.toTag(new Tag(tag));
    }
    if (!sdp.isEmpty()) {
      builder.body("application/sdp", sdp.getBytes(StandardCharsets.US_ASCII));
    }
    return more.apply(builder).build();
  }

  Scene response(SipResponse response, List<Target> redirect) {
    return apply(
        new Input.ResponseArrived(
            response.topVia().branch().orElseThrow(),
            response,
            Destination.to(TransportProtocol.UDP, callee(0)),
            redirect));
  }

  /** The caller acknowledges our 2xx. */
  Scene callerAck(String sdp) {
    return apply(new Input.AckArrived(callerRequest(Method.ACK, 1, sdp)));
  }

  /** A request of the caller within the dialog that our 2xx made. */
  SipRequest callerRequest(Method method, long cSeq, String sdp) {
    Dialog dialog = call.orElseThrow().legs().orElseThrow().caller().dialog();
    return peerRequest(dialog, method, cSeq, sdp, CALLER);
  }

  /** A request of the callee within its dialog. */
  SipRequest calleeRequest(Method method, long cSeq, String sdp) {
    Dialog dialog = call.orElseThrow().legs().orElseThrow().callee().dialog();
    return peerRequest(dialog, method, cSeq, sdp, callee(0));
  }

  private SipRequest peerRequest(
      Dialog dialog, Method method, long cSeq, String sdp, Endpoint peer) {
    SipRequest.Builder builder =
        SipRequest.builder(method, dialog.contact().uri())
            .via(
                Via.of(
                    TransportProtocol.UDP, peer, new Branch("z9hG4bK-peer-" + method + requests++)))
            .maxForwards(70)
            .from(dialog.remote())
            .to(dialog.local())
            .callId(dialog.callId())
            .cSeq(new CSeq(cSeq, method))
            .contact(NameAddr.of(SipUri.of("peer", peer)));
    return sdp.isEmpty()
        ? builder.build()
        : builder.body("application/sdp", sdp.getBytes(StandardCharsets.US_ASCII)).build();
  }

  Scene request(SipRequest request) {
    return apply(
        new Input.RequestArrived(
            transaction(request), request, CALLER_FLOW, Destination.over(CALLER_FLOW)));
  }

  /** The caller's CANCEL of its INVITE. */
  Scene callerCancels() {
    SipRequest cancel =
        SipRequest.builder(Method.CANCEL, invite.uri())
            .via(invite.topVia())
            .maxForwards(70)
            .from(invite.from())
            .to(invite.to())
            .callId(invite.callId())
            .cSeq(new CSeq(invite.cSeq().number(), Method.CANCEL))
            .build();
    return request(cancel);
  }

  Scene fires(TimerId.Kind kind, int ordinal) {
    TimerId timer = new TimerId(kind, ordinal);
    assertThat(call.orElseThrow().timers()).containsKey(timer);
    now = Objects.requireNonNull(call.orElseThrow().timers().get(timer));
    return apply(new Input.TimerFired(timer));
  }

  /** Set up and acknowledged. */
  Scene up() {
    begin().mediaHolds();
    callee(0, 180, "bob", "").callee(0, 200, "bob", offer("192.0.2.20", 50000));
    mediaHolds();
    return callerAck("");
  }

  <E extends Effect> E last(Class<E> type) {
    for (int i = effects.size() - 1; i >= 0; i--) {
      if (type.isInstance(effects.get(i))) {
        return type.cast(effects.get(i));
      }
    }
    throw new AssertionError("Expected a " + type.getSimpleName() + " among " + effects);
  }

  <E extends Effect> List<E> all(Class<E> type) {
    return effects.stream().filter(type::isInstance).map(type::cast).toList();
  }

  /** Methods of the requests that were sent in the last step, ACKs among them. */
  List<String> sent() {
    var methods = new ArrayList<String>();
    for (Effect effect : effects) {
      if (effect instanceof Effect.Request request) {
        methods.add(request.request().method().name());
      } else if (effect instanceof Effect.Ack) {
        methods.add("ACK");
      }
    }
    return methods;
  }

  /** What was answered in the last step: status and method. */
  List<String> answered() {
    var answers = new ArrayList<String>();
    for (Effect effect : effects) {
      if (effect instanceof Effect.Respond respond) {
        answers.add(respond.response().status() + " " + respond.response().cSeq().method());
      } else if (effect instanceof Effect.RespondUntilAck until) {
        answers.add(until.response().status() + " " + until.response().cSeq().method());
      }
    }
    return answers;
  }

  static String body(io.sippbx.control.sip.message.SipMessage message) {
    return new String(message.body(), StandardCharsets.UTF_8);
  }

  static Optional<String> header(io.sippbx.control.sip.message.SipMessage m, HeaderName name) {
    return m.header(name);
  }
}
