package io.sippbx.control.offer;

import static io.sippbx.control.offer.Sdps.addresses;
import static io.sippbx.control.offer.Sdps.leg;
import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.media.StreamSpec;
import io.sippbx.shared.sdp.Connection;
import io.sippbx.shared.sdp.MediaDescription;
import io.sippbx.shared.sdp.SdpLimits;
import io.sippbx.shared.sdp.SdpParseResult;
import io.sippbx.shared.sdp.SdpParseResult.Parsed;
import io.sippbx.shared.sdp.SessionDescription;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for any description of a peer, however odd: by seeds, whole and mutated. */
class RelayedSdpFuzzTest {

  private static final CodecPriority PRIORITY = new CodecPriority(List.of("opus", "pcmu", "pcma"));

  static LongStream seeds() {
    return LongStream.rangeClosed(1, 10);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void noAddressOfThePeerIsLeft(long seed) {
    var source = new Peer(seed);
    for (int i = 0; i < 300; i++) {
      String text = source.next();
      SessionDescription offer = Sdps.sdp(text);
      LegSdp offered = leg(End.B).offering(offer, addresses(6), PRIORITY);
      assertNothingLeft(source, offered.body(), "offer, seed=" + seed + " i=" + i + "\n" + text);
      SessionDescription usable = AnswerCheck.of(offered.body(), offer).usable();
      LegSdp answered = leg(End.A).answering(usable, offered.body(), addresses(6));
      assertNothingLeft(source, answered.body(), "answer, seed=" + seed + " i=" + i + "\n" + text);
      assertNothingLeft(source, leg(End.A).rejecting(offer).body(), "rejecting\n" + text);
    }
  }

  private static void assertNothingLeft(Peer source, SessionDescription body, String what) {
    String written =
        new String(body.toBytes(), StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT);
    for (String each : source.addresses) {
      assertThat(written).as(what).doesNotContain(each.toLowerCase(Locale.ROOT));
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void holdsForMutationsToo(long seed) {
    var source = new Peer(seed);
    var random = new Random(seed);
    int relayed = 0;
    for (int i = 0; i < 500; i++) {
      byte[] text = source.next().getBytes(StandardCharsets.ISO_8859_1);
      for (int change = random.nextInt(4); change >= 0; change--) {
        text[random.nextInt(text.length)] = (byte) (32 + random.nextInt(96));
      }
      SdpParseResult result = SessionDescription.parse(text, SdpLimits.DEFAULT);
      if (!(result instanceof Parsed(SessionDescription offer))
          || OfferCheck.refusal(offer).isPresent()) {
        continue;
      }
      relayed++;
      String what = "seed=" + seed + " i=" + i + "\n" + offer;
      LegSdp offered = leg(End.B).offering(offer, addresses(6), PRIORITY);
      assertWellFormed(offered.body(), what);
      assertThat(offered.body().media()).as(what).hasSameSizeAs(offer.media());
      assertThat(offered.offering(offer, addresses(6), PRIORITY)).as(what).isEqualTo(offered);
      assertThat(leg(End.B).offering(offered.body(), addresses(6), PRIORITY).body())
          .as("relaying what was relayed changes nothing: %s", what)
          .isEqualTo(offered.body());
      for (int line = 0; line < offer.media().size(); line++) {
        assertSameFormats(offer.media().get(line), offered.body().media().get(line), what);
      }
    }
    assertThat(relayed).isGreaterThan(50);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void anyAnswerGivesABodyForTheOffererAndAPlanThatAgreesWithIt(long seed) {
    var callers = new Peer(seed);
    var callees = new Peer(seed + 1_000);
    for (int i = 0; i < 300; i++) {
      SessionDescription offer = Sdps.sdp(callers.next());
      SessionDescription answer = Sdps.sdp(callees.next());
      String what = "seed=" + seed + " i=" + i + "\n" + offer + "\n" + answer;
      LegSdp toCallee = leg(End.B).offering(offer, addresses(6), PRIORITY);
      MediaPlan open = MediaPlan.none(false, false).offered(End.A, offer);
      SessionDescription usable = AnswerCheck.of(toCallee.body(), answer).usable();
      LegSdp toCaller = leg(End.A).answering(usable, offer, addresses(6));
      MediaPlan agreed = open.agreed(offer, usable);
      assertWellFormed(toCaller.body(), what);
      assertThat(toCaller.body().media()).as(what).hasSameSizeAs(offer.media());
      var inUse = new ArrayList<Integer>();
      for (int line = 0; line < offer.media().size(); line++) {
        MediaDescription told = toCaller.body().media().get(line);
        assertThat(told.media()).as(what).isEqualTo(offer.media().get(line).media());
        if (told.isActive()) {
          inUse.add(line);
          assertThat(told.rtcpMux() && !offer.media().get(line).rtcpMux()).as(what).isFalse();
        }
      }
      assertThat(agreed.streams().stream().map(StreamSpec::index).toList())
          .as(what)
          .isEqualTo(inUse);
      for (StreamSpec stream : agreed.streams()) {
        assertThat(stream.a().rtcpMux()).as(what).isEqualTo(stream.b().rtcpMux());
        assertThat(stream.a().maySend() && !stream.b().wantsReceive() && !isHeld(usable, stream))
            .as(what)
            .isFalse();
      }
      assertThat(agreed.agreed(offer, usable)).as(what).isEqualTo(agreed);
    }
  }

  private static boolean isHeld(SessionDescription sdp, StreamSpec stream) {
    return sdp.media().get(stream.index()).isHeldByAddress();
  }

  private static void assertWellFormed(SessionDescription body, String what) {
    assertThat(SessionDescription.parse(body.toBytes(), SdpLimits.DEFAULT))
        .as(what)
        .isEqualTo(new Parsed(body));
    for (MediaDescription line : body.media()) {
      if (line.isActive()) {
        assertThat(line.connection().flatMap(Connection::ip))
            .as(what)
            .hasValueSatisfying(ip -> assertThat(ip.toString()).startsWith("203.0.113."));
      }
    }
  }

  private static void assertSameFormats(
      MediaDescription offered, MediaDescription relayed, String what) {
    var before = new ArrayList<>(offered.formats());
    var after = new ArrayList<>(relayed.formats());
    before.sort(null);
    after.sort(null);
    assertThat(after).as(what).isEqualTo(before);
  }

  /** A peer that writes its addresses wherever they may be written. */
  private static final class Peer {
    final List<String> addresses;
    private final Random random;

    Peer(long seed) {
      random = new Random(seed);
      int n = random.nextInt(200);
      addresses =
          List.of(
              "192.0.2." + (50 + n),
              "10.11." + (20 + n) + ".12",
              "2001:DB8:0:0::" + Integer.toHexString(4096 + n),
              "2001:db8::" + Integer.toHexString(4096 + n),
              "fe80::" + Integer.toHexString(4096 + n));
    }

    String next() {
      var lines = new ArrayList<String>();
      lines.add("v=0");
      lines.add("o=alice 1 1 " + typed());
      lines.add(pick("s=-", "s=call from " + any(), "s=Talk"));
      lines.add(pick("i=x", "i=" + any(), "b=AS:100"));
      lines.add(pick("u=http://" + any(), "e=x@" + any(), "p=+1", "x=" + any()));
      lines.add("c=" + typed());
      lines.add("t=0 0");
      attributes(lines);
      for (int i = random.nextInt(5); i > 0; i--) {
        lines.add(
            pick(
                "m=audio 4000 RTP/AVP 8 0 101",
                "m=audio 4000/2 RTP/SAVP 96 0 13",
                "m=audio 0 RTP/AVP 0",
                "m=video 4002 RTP/AVPF 97 31",
                "m=image 4004 udptl t38",
                "m=message 4006 TCP/MSRP *"));
        lines.add(pick("i=y", "i=at " + any(), "c=" + typed(), "c=IN IP4 0.0.0.0"));
        attributes(lines);
      }
      return String.join("\r\n", lines) + "\r\n";
    }

    private void attributes(List<String> lines) {
      for (int i = random.nextInt(8); i > 0; i--) {
        lines.add(
            "a="
                + pick(
                    "rtpmap:96 opus/48000/2",
                    "rtpmap:101 telephone-event/8000",
                    "sendonly",
                    "inactive",
                    "rtcp-mux",
                    "rtcp:4001",
                    "rtcp:4001 " + typed(),
                    "candidate:1 1 UDP 1 " + any() + " 9 typ srflx raddr " + any() + " rport 9",
                    "remote-candidates:1 " + any() + " 9",
                    "source-filter: incl IN IP4 * " + any(),
                    "ssrc:7 cname:" + any(),
                    "ssrc:7 cname:me@" + any(),
                    "path:msrp://" + any() + ":9/x;tcp",
                    "path:msrp://[" + any() + "]:9/x;tcp",
                    "X-" + any(),
                    "X-place:" + any() + ":4000",
                    "tool:" + any(),
                    "fmtp:96 useinbandfec=1",
                    "ice-ufrag:x",
                    "group:BUNDLE 0 1",
                    "mid:0"));
      }
    }

    private String typed() {
      String address = any();
      return (address.contains(":") ? "IN IP6 " : "IN IP4 ") + address;
    }

    private String any() {
      return addresses.get(random.nextInt(addresses.size()));
    }

    private String pick(String... choices) {
      return Arrays.asList(choices).get(random.nextInt(choices.length));
    }
  }
}
