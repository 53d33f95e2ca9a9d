package io.sippbx.benchmarks;

import io.sippbx.control.call.Call;
import io.sippbx.control.call.CallDecider;
import io.sippbx.control.call.CallKeys;
import io.sippbx.control.call.CallSettings;
import io.sippbx.control.call.Decision;
import io.sippbx.control.call.Effect;
import io.sippbx.control.call.Input;
import io.sippbx.control.call.Target;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.SessionSpec;
import io.sippbx.control.media.StreamAddresses;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipLimits;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipParser;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.store.state.CallCodec;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Steps of a call, each by itself: what is decided when the callee answers, and a record written
 * down for its commit. A message within the call is named when its record is written first, as in a
 * call of real life: that is not measured again.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 8, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class CallStepBenchmark {

  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final NodeId MEDIA = new NodeId("media-1");
  private static final Endpoint EDGE = Endpoint.of("198.51.100.1", 5060);
  private static final Endpoint RELAY = Endpoint.of("198.51.100.2", 10_000);
  private static final Endpoint CALLER = Endpoint.of("192.0.2.10", 5062);
  private static final Endpoint CALLEE = Endpoint.of("192.0.2.20", 5066);
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final int HOPS = 10;
  private static final int SECRET_OCTETS = 32;
  private static final String INVITE =
      """
      INVITE sip:1008@pbx.example.com SIP/2.0
      Via: SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bK1776655443;rport
      Max-Forwards: 70
      From: "Alice Example" <sip:1004@pbx.example.com>;tag=as58f4201b
      To: <sip:1008@pbx.example.com>
      Contact: <sip:1004@192.0.2.10:5062>
      Call-ID: 7f1d6c2e4a9b4c03b5d8@192.0.2.10
      CSeq: 102 INVITE
      User-Agent: Softphone 5.2.1
      Allow: INVITE, ACK, CANCEL, OPTIONS, BYE
      Supported: replaces, timer
      Content-Type: application/sdp
      Content-Length: %d

      """;
  private static final String SDP =
      """
      v=0
      o=- 2890844526 2890844526 IN IP4 %1$s
      s=-
      c=IN IP4 %1$s
      t=0 0
      m=audio 49170 RTP/AVP 0 8 101
      a=rtpmap:0 PCMU/8000
      a=rtpmap:8 PCMA/8000
      a=rtpmap:101 telephone-event/8000
      a=fmtp:101 0-15
      a=sendrecv
      """;

  private final CallCodec codec = new CallCodec();
  private final CallDecider decider =
      new CallDecider(
          new CallSettings(
              new NodeId("control-1"),
              new Incarnation(1),
              TimerSettings.RFC_3261,
              MINUTE,
              Duration.ZERO,
              true,
              HOPS,
              MINUTE,
              List.of(),
              "sip-pbx"),
          (protocol, peer) -> Optional.of(EDGE));
  private final Call ringing;
  private final Call up;
  private final Input.ResponseArrived answer;

  /** A call as far as its answer. */
  public CallStepBenchmark() {
    SipRequest invite = invite();
    Flow flow = Flow.udp(EDGE, CALLER);
    CallKey key = new CallKeys(new byte[SECRET_OCTETS]).derive(invite);
    var target =
        new Target(
            SipUri.of("1008", CALLEE),
            List.of(),
            List.of(Destination.to(TransportProtocol.UDP, CALLEE)));
    Decision begun =
        decider.begin(
            key,
            new Input.InviteArrived(
                ServerTransactionId.of(invite),
                invite,
                flow,
                Destination.over(flow),
                List.of(List.of(target)),
                Optional.of(MEDIA)),
            NOW);
    Call sent = mediaHolds(begun);
    ringing = after(decider.decide(sent, response(sent, 180), NOW));
    answer = response(ringing, 200);
    up = mediaHolds(decider.decide(ringing, answer, NOW));
  }

  private Call mediaHolds(Decision asked) {
    SessionSpec spec = null;
    for (Effect effect : asked.beside()) {
      spec = effect instanceof Effect.ApplyMedia apply ? apply.spec() : spec;
    }
    for (Effect effect : asked.effects()) {
      spec = effect instanceof Effect.ApplyMedia apply ? apply.spec() : spec;
    }
    if (spec == null) {
      throw new IllegalStateException("Expected media to be asked for, but got " + asked);
    }
    var held =
        new MediaAnswer.Held(
            spec.revision(),
            List.of(new StreamAddresses(0, RELAY, port(1), port(2), port(3))),
            List.of());
    return after(decider.decide(after(asked), new Input.MediaApplied(spec.revision(), held), NOW));
  }

  private static Endpoint port(int more) {
    return RELAY.withPort(RELAY.port() + more);
  }

  private static Call after(Decision decision) {
    return decision.call().orElseThrow();
  }

  private static String sdp(Endpoint phone) {
    return SDP.formatted(phone.ip()).replace("\n", "\r\n");
  }

  private static SipRequest invite() {
    String body = sdp(CALLER);
    return (SipRequest) parsed(INVITE.formatted(body.length()).replace("\n", "\r\n") + body);
  }

  private static SipMessage parsed(String text) {
    return parsed(text.getBytes(StandardCharsets.UTF_8));
  }

  private static SipMessage parsed(byte[] octets) {
    if (SipParser.parseOwned(octets, SipLimits.DEFAULT) instanceof ParseResult.Parsed found) {
      return found.message();
    }
    throw new IllegalStateException("Expected a message");
  }

  /** As it comes from the network. */
  private static Input.ResponseArrived response(Call call, int status) {
    SipResponse.Builder response =
        SipResponse.to(call.callees().getFirst().invite(), status)
            .toTag(new Tag("callee"))
            .header(HeaderName.CONTACT, "<sip:1008@" + CALLEE + ">");
    if (status == 200) {
      response.body("application/sdp", sdp(CALLEE).getBytes(StandardCharsets.US_ASCII));
    }
    var heard = (SipResponse) parsed(response.build().toBytes());
    return new Input.ResponseArrived(
        heard.topVia().branch().orElseThrow(),
        heard,
        Destination.to(TransportProtocol.UDP, CALLEE),
        List.of());
  }

  /** The callee answers: offer and answer, what the media node is told, the next state. */
  @Benchmark
  public Object decide() {
    return decider.decide(ringing, answer, NOW);
  }

  /** The record of a call that is up, as its commit sends it. */
  @Benchmark
  public Object encode() {
    return codec.encode(up);
  }
}
