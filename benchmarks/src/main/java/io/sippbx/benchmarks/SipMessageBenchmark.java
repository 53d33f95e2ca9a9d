package io.sippbx.benchmarks;

import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.CSeq;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipLimits;
import io.sippbx.control.sip.message.SipParser;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Via;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.nio.charset.StandardCharsets;
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
 * What a SIP message costs: time by JMH, octets allocated by {@code -prof gc} (gc.alloc.rate.norm).
 * The INVITE is of about 1 kB, as a phone sends it through one proxy.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 4, time = 1)
@Fork(1)
public class SipMessageBenchmark {

  private static final byte[] INVITE =
      """
      INVITE sip:1008@pbx.example.com;transport=udp SIP/2.0
      Via: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK5a3f9c7e1b2d4f60
      Via: SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bK1776655443;rport=5062;received=192.0.2.10
      Record-Route: <sip:192.0.2.20;lr;ftag=as58f4201b>
      Max-Forwards: 69
      From: "Alice Example" <sip:1004@pbx.example.com>;tag=as58f4201b
      To: <sip:1008@pbx.example.com>
      Contact: <sip:1004@192.0.2.10:5062;transport=udp>;+sip.instance="<urn:uuid:0d5>"
      Call-ID: 7f1d6c2e4a9b4c03b5d8@192.0.2.10
      CSeq: 102 INVITE
      User-Agent: Softphone 5.2.1
      Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, PUBLISH, MESSAGE
      Supported: replaces, timer
      X-Customer: 4711; region=eu
      Content-Type: application/sdp
      Content-Length: 255

      v=0
      o=alice 2890844526 2890844526 IN IP4 192.0.2.10
      s=-
      c=IN IP4 192.0.2.10
      t=0 0
      m=audio 49170 RTP/AVP 96 0 8 101
      a=rtpmap:96 opus/48000/2
      a=rtpmap:0 PCMU/8000
      a=rtpmap:8 PCMA/8000
      a=rtpmap:101 telephone-event/8000
      a=fmtp:101 0-15
      a=sendrecv
      """
          .replace("\n", "\r\n")
          .getBytes(StandardCharsets.UTF_8);

  private final SipRequest invite = parsed(INVITE);
  private final SipUri target = SipUri.of("1008", Endpoint.of("198.51.100.7", 5066));
  private final Via via =
      Via.of(TransportProtocol.UDP, Endpoint.of("203.0.113.1", 5060), new Branch("z9hG4bKn1x7"));
  private final NameAddr from =
      NameAddr.of("Alice Example", SipUri.of("1004", "203.0.113.1")).withTag(new Tag("k2a1"));
  private final NameAddr to = NameAddr.of(SipUri.of("1008", "203.0.113.1"));
  private final NameAddr contact = NameAddr.of(SipUri.of(Endpoint.of("203.0.113.1", 5060)));
  private final CallId callId = new CallId("mfrggzdfmztwq2lknnwg23tpob");
  private final CSeq cSeq = new CSeq(1, Method.INVITE);
  private final IpAddress source = IpAddress.of("192.0.2.20");
  private final byte[] sdp = invite.body();

  private static SipRequest parsed(byte[] octets) {
    return switch (SipParser.parse(octets, 0, octets.length, SipLimits.DEFAULT)) {
      case ParseResult.Parsed(SipRequest request, int consumed) -> request;
      case ParseResult other -> throw new IllegalStateException("Expected a request, but " + other);
    };
  }

  /** Octets to a message, all headers checked, no view made. */
  @Benchmark
  public Object parse() {
    return SipParser.parse(INVITE, 0, INVITE.length, SipLimits.DEFAULT);
  }

  /** As the transport does: the array of a datagram is kept and not copied. */
  @Benchmark
  public Object parseDatagram() {
    return SipParser.parseOwned(INVITE, SipLimits.DEFAULT);
  }

  /** The same, and the views that the layers need on the way to a call. */
  @Benchmark
  public Object parseAndView() {
    SipRequest request = parsed(INVITE);
    int used = request.topVia().branch().hashCode() + request.cSeq().hashCode();
    used += request.callId().hashCode() + request.fromTag().hashCode();
    used += request.toTag().hashCode() + request.uri().hashCode() + request.contacts().size();
    return used;
  }

  /** The topmost Via completed with received and rport, as the transport does. */
  @Benchmark
  public Object completeTopVia() {
    return invite.toBuilder()
        .replaceTopVia(invite.topVia().withReceived(source).withRport(5060))
        .build();
  }

  /** The INVITE of the other leg: own identity, unknown headers passed on, the body kept. */
  @Benchmark
  public Object buildOtherLeg() {
    return SipRequest.builder(Method.INVITE, target)
        .via(via)
        .maxForwards(68)
        .from(from)
        .to(to)
        .contact(contact)
        .callId(callId)
        .cSeq(cSeq)
        .copy(invite, HeaderName.SUPPORTED)
        .copyUnknown(invite)
        .body("application/sdp", sdp)
        .build();
  }

  /** A 180 to the INVITE. */
  @Benchmark
  public Object buildRinging() {
    return SipResponse.to(invite, 180)
        .toTag(new Tag("k2b1"))
        .copy(invite, HeaderName.RECORD_ROUTE)
        .contact(contact)
        .build();
  }
}
