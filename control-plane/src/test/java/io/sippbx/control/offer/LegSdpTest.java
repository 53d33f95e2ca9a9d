package io.sippbx.control.offer;

import static io.sippbx.control.offer.Sdps.addresses;
import static io.sippbx.control.offer.Sdps.leg;
import static io.sippbx.control.offer.Sdps.peer;
import static io.sippbx.control.offer.Sdps.sdp;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.media.StreamAddresses;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.sdp.SessionDescription;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("what a leg is told")
class LegSdpTest {

  private static final CodecPriority PRIORITY = new CodecPriority(List.of("opus", "pcmu", "pcma"));

  private static SessionDescription offered(SessionDescription offer) {
    return leg(End.B).offering(offer, addresses(4), PRIORITY).body();
  }

  private static String offered(String media) {
    String all = offered(peer("192.0.2.1", media)).toString();
    return all.substring(all.indexOf("m="));
  }

  private static String answered(String offer, String answer) {
    String all =
        leg(End.A)
            .answering(peer("198.51.100.2", answer), peer("192.0.2.1", offer), addresses(4))
            .body()
            .toString();
    return all.substring(all.indexOf("m="));
  }

  @Nested
  class Origins {
    @Test
    void versionRisesByOneExactlyWhenTheDescriptionChanges() {
      SessionDescription offer = peer("192.0.2.1", "m=audio 4000 RTP/AVP 0\n");
      SessionDescription sameWithItsVersionRaised =
          sdp(offer.toString().replace("o=peer 1 1", "o=peer 1 2"));
      SessionDescription held = peer("192.0.2.1", "m=audio 4000 RTP/AVP 0\na=sendonly\n");
      LegSdp first = leg(End.B).offering(offer, addresses(1), PRIORITY);
      assertThat(first.version()).isEqualTo(1);
      assertThat(first.body().origin().line().toString())
          .isEqualTo("o=- 2002 1 IN IP4 203.0.113.9");
      assertThat(first.offering(offer, addresses(1), PRIORITY)).isEqualTo(first);
      assertThat(first.offering(sameWithItsVersionRaised, addresses(1), PRIORITY)).isEqualTo(first);
      LegSdp second = first.offering(held, addresses(1), PRIORITY);
      assertThat(second.body().origin().sessionVersion()).isEqualTo("2");
      assertThat(second.offering(offer, addresses(1), PRIORITY).version()).isEqualTo(3);
    }

    @Test
    void nothingIsToldBeforeTheFirst() {
      assertThatThrownBy(() -> leg(End.A).body()).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void keepsTheSessionNameUnlessItCarriesAnAddress() {
      assertThat(offered(sdp("v=0\no=- 1 1 IN IP4 192.0.2.1\ns=A talk\nt=0 0\n")).toString())
          .contains("s=A talk\n");
      for (String name : List.of("", "at 192.0.2.1", "at 10.0.0.7:5060", "from 2001:db8::7")) {
        assertThat(
                offered(sdp("v=0\no=- 1 1 IN IP4 192.0.2.1\ns=" + name + "\nt=0 0\n")).toString())
            .contains("s=-\n");
      }
    }

    @Test
    void addsWhatEveryDescriptionMustHave() {
      assertThat(offered(sdp("v=0\no=- 1 1 IN IP4 192.0.2.1\n")).toString())
          .isEqualTo("v=0\no=- 2002 1 IN IP4 203.0.113.9\ns=-\nt=0 0\n");
    }
  }

  @Nested
  class Addresses {
    @Test
    void putsAConnectionWhereThereWasOne() {
      SessionDescription offer =
          sdp(
              """
              v=0
              o=x 1 1 IN IP4 192.0.2.1
              s=-
              t=0 0
              m=audio 4000 RTP/AVP 0
              c=IN IP4 192.0.2.1
              m=video 4002 RTP/AVP 31
              c=IN IP6 2001:db8::1
              """);
      assertThat(offered(offer).toString())
          .isEqualTo(
              """
              v=0
              o=- 2002 1 IN IP4 203.0.113.9
              s=-
              t=0 0
              m=audio 20000 RTP/AVP 0
              c=IN IP4 203.0.113.20
              m=video 20010 RTP/AVP 31
              c=IN IP4 203.0.113.20
              """);
    }

    @Test
    void goesFromIpv4ToIpv6() {
      SessionDescription offer =
          peer("192.0.2.1", "m=audio 4000 RTP/AVP 0\na=rtcp:4007 IN IP4 192.0.2.1\n");
      LegSdp leg =
          LegSdp.start(End.B, 5, IpAddress.of("2001:db8:5::1"))
              .offering(offer, addresses(1, Sdps.NODE_A, "2001:db8:5::2"), PRIORITY);
      assertThat(leg.body().toString())
          .isEqualTo(
              """
              v=0
              o=- 5 1 IN IP6 2001:db8:5::1
              s=-
              c=IN IP6 2001:db8:5::2
              t=0 0
              m=audio 20000 RTP/AVP 0
              a=rtcp:20001 IN IP6 2001:db8:5::2
              """);
    }

    @Test
    void givesALineItsOwnConnectionWhereAddressesDiffer() {
      List<StreamAddresses> two =
          List.of(
              addresses(1).getFirst(),
              new StreamAddresses(
                  1,
                  Endpoint.of("203.0.113.11", 10010),
                  Endpoint.of("203.0.113.11", 10011),
                  Endpoint.of("203.0.113.21", 20010),
                  Endpoint.of("203.0.113.21", 20011)));
      String body =
          leg(End.B)
              .offering(
                  peer("192.0.2.1", "m=audio 4000 RTP/AVP 0\nm=video 5000 RTP/AVP 31\n"),
                  two,
                  PRIORITY)
              .body()
              .toString();
      assertThat(body)
          .contains("c=IN IP4 203.0.113.20\nt=0 0\nm=audio 20000 RTP/AVP 0\nm=video")
          .endsWith("m=video 20010 RTP/AVP 31\nc=IN IP4 203.0.113.21\n");
    }

    @Test
    void replacesRtcpInTheFormInWhichItCame() {
      assertThat(offered("m=audio 4000 RTP/AVP 0\na=rtcp:4009\na=x\n"))
          .isEqualTo("m=audio 20000 RTP/AVP 0\na=rtcp:20001\na=x\n");
      assertThat(offered("m=audio 4000 RTP/AVP 0\na=rtcp:4009 IN IP4 192.0.2.1\n"))
          .isEqualTo("m=audio 20000 RTP/AVP 0\na=rtcp:20001 IN IP4 203.0.113.20\n");
      assertThat(offered("m=audio 4000 RTP/AVP 0\na=rtcp:192.0.2.1 nonsense\n"))
          .isEqualTo("m=audio 20000 RTP/AVP 0\na=rtcp:20001\n");
    }

    @Test
    void saysWhereRtcpIsWhenItIsNotTheNextPort() {
      var odd =
          List.of(
              new StreamAddresses(
                  0,
                  Endpoint.of(Sdps.NODE_A, 10000),
                  Endpoint.of(Sdps.NODE_A, 10001),
                  Endpoint.of(Sdps.NODE_B, 20000),
                  Endpoint.of(Sdps.NODE_B, 20005)));
      assertThat(
              leg(End.B)
                  .offering(peer("192.0.2.1", "m=audio 4000 RTP/AVP 0\n"), odd, PRIORITY)
                  .body()
                  .toString())
          .endsWith("m=audio 20000 RTP/AVP 0\na=rtcp:20005\n");
    }

    @Test
    void offersOnePairWhereThePeerHadSeveral() {
      assertThat(offered("m=audio 4000/2 RTP/AVP 0\n")).isEqualTo("m=audio 20000 RTP/AVP 0\n");
    }

    @Test
    void rejectsALineWithoutAnAddress() {
      SessionDescription offer =
          peer("192.0.2.1", "m=audio 4000 RTP/AVP 0\na=x\nm=video 4002 RTP/AVP 31\na=mid:v\na=x\n");
      assertThat(leg(End.B).offering(offer, addresses(1), PRIORITY).body().toString())
          .endsWith("m=audio 20000 RTP/AVP 0\na=x\nm=video 0 RTP/AVP 31\na=mid:v\n");
    }

    @Test
    void movesToAnotherNodeWithTheLastDescription() {
      LegSdp leg =
          leg(End.B)
              .offering(
                  peer("192.0.2.1", "m=audio 4000 RTP/AVP 0\na=sendonly\n"),
                  addresses(1),
                  PRIORITY);
      LegSdp moved = leg.moving(addresses(1, "203.0.113.30", "203.0.113.31"));
      assertThat(moved.version()).isEqualTo(2);
      assertThat(moved.body().toString())
          .endsWith("c=IN IP4 203.0.113.31\nt=0 0\nm=audio 20000 RTP/AVP 0\na=sendonly\n");
      assertThat(leg.moving(addresses(1))).isEqualTo(leg);
    }
  }

  @Nested
  class Lines {
    @Test
    void keepsUnknownAttributesLinesAndTransports() {
      String media =
          """
          m=audio 4000 RTP/SAVP 0 96
          b=AS:64
          y=0100000001
          a=rtpmap:96 opus/48000/2
          a=fmtp:96 useinbandfec=1
          a=rtcp-fb:96 nack
          a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:32
          a=X-unknown:kept as it is
          a=fingerprint:sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF
          m=image 4002 udptl t38
          a=T38FaxVersion:0
          m=application 4004 UDP/BFCP *
          """;
      assertThat(offered(media))
          .isEqualTo(
              media
                  .replace("m=audio 4000 RTP/SAVP 0 96", "m=audio 20000 RTP/SAVP 96 0")
                  .replace("4002", "20010")
                  .replace("4004", "20020"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"TCP/MSRP", "TCP/TLS/MSRP", "TCP", "tcp/rtp/avp", "SCTP"})
    void rejectsWhatIsNotOverUdp(String protocol) {
      assertThat(
              offered(
                  "m=audio 4000 RTP/AVP 0\nm=message 7654 "
                      + protocol
                      + " *\na=path:msrp://192.0.2.1:7654/x;tcp\na=setup:actpass\n"))
          .isEqualTo("m=audio 20000 RTP/AVP 0\nm=message 0 " + protocol + " *\n");
    }

    @Test
    void keepsRejectedLinesRejected() {
      assertThat(
              offered(
                  "m=audio 4000 RTP/AVP 0\nm=video 0 RTP/AVP 31\nc=IN IP4 192.0.2.1\na=x\na=rtcp:5\n"))
          .isEqualTo("m=audio 20000 RTP/AVP 0\nm=video 0 RTP/AVP 31\nc=IN IP4 203.0.113.20\na=x\n");
    }

    @Test
    void leavesIceBundleAndPersonalLinesOut() {
      SessionDescription offer =
          sdp(
              """
              v=0
              o=alice 1 1 IN IP4 192.0.2.1
              s=-
              i=about nothing
              u=http://192.0.2.1/
              e=alice@example.com
              p=+1 617 555-6011
              c=IN IP4 192.0.2.1
              t=0 0
              a=group:BUNDLE 0
              a=group:LS 0
              a=ice-lite
              a=ice-options:trickle
              m=audio 4000 RTP/AVP 0
              a=mid:0
              a=ice-ufrag:abcd
              a=ice-pwd:aabbccddeeffgghhiijjkk
              a=candidate:1 1 UDP 2130706431 10.0.1.1 8998 typ host
              a=remote-candidates:1 10.0.1.2 9000
              a=end-of-candidates
              a=source-filter: incl IN IP4 * 10.0.1.1
              a=altc:1 IP4 10.0.1.1 8998
              a=ssrc:1 cname:user@10.0.1.1
              a=ssrc:1 msid:a b
              a=bundle-only
              """);
      assertThat(offered(offer).toString())
          .isEqualTo(
              """
              v=0
              o=- 2002 1 IN IP4 203.0.113.9
              s=-
              i=about nothing
              c=IN IP4 203.0.113.20
              t=0 0
              a=group:LS 0
              m=audio 20000 RTP/AVP 0
              a=mid:0
              a=ssrc:1 msid:a b
              """);
    }

    @Test
    void neverOffersFewerLinesThanBefore() {
      SessionDescription two =
          peer("192.0.2.1", "m=audio 4000 RTP/AVP 0\nm=video 4002 RTP/AVP 31\na=x\n");
      SessionDescription one = peer("192.0.2.1", "m=audio 4000 RTP/AVP 0\n");
      LegSdp leg = leg(End.B).offering(two, addresses(2), PRIORITY);
      LegSdp shrunk = leg.offering(one, addresses(2), PRIORITY);
      assertThat(shrunk.body().toString())
          .endsWith("m=audio 20000 RTP/AVP 0\nm=video 0 RTP/AVP 31\n");
      // The slot may be used again (RFC 3264 8.1), for another medium too.
      SessionDescription again =
          peer("192.0.2.1", "m=audio 4000 RTP/AVP 0\nm=image 4008 udptl t38\n");
      assertThat(shrunk.offering(again, addresses(2), PRIORITY).body().toString())
          .endsWith("m=audio 20000 RTP/AVP 0\nm=image 20010 udptl t38\n");
    }
  }

  @Nested
  class Formats {
    @ParameterizedTest
    @CsvSource({
      "0 8 101, 0 8 101",
      "8 0 101, 0 8 101",
      "18 8 0 101, 0 8 18 101",
      "9 8 101 0 96 13, 96 0 8 9 101 13",
      "3 18, 3 18",
    })
    void areInTheOrderOfThePriority(String offered, String ordered) {
      String maps = "a=rtpmap:96 OPUS/48000/2\na=rtpmap:101 telephone-event/8000\n";
      assertThat(offered("m=audio 4000 RTP/AVP " + offered + "\n" + maps))
          .isEqualTo("m=audio 20000 RTP/AVP " + ordered + "\n" + maps);
    }

    @Test
    void aMappedStaticTypeIsWhatItIsMappedTo() {
      assertThat(offered("m=audio 4000 RTP/AVP 0 8\na=rtpmap:0 G726-32/8000\n"))
          .startsWith("m=audio 20000 RTP/AVP 8 0\n");
    }

    @Test
    void ofAnAnswerKeepTheAnswerersOrder() {
      assertThat(answered("m=audio 4000 RTP/AVP 0 8\n", "m=audio 5000 RTP/AVP 8 0\n"))
          .isEqualTo("m=audio 10000 RTP/AVP 8 0\n");
    }

    @Test
    void ofOtherTransportsStay() {
      assertThat(offered("m=x 4000 udp pcma pcmu\n")).isEqualTo("m=x 20000 udp pcma pcmu\n");
    }
  }

  @Nested
  @DisplayName("hold (RFC 3264 8.4)")
  class Hold {
    @ParameterizedTest
    @CsvSource({
      "'', a=sendonly",
      "a=sendrecv, a=sendonly",
      "a=sendonly, a=sendonly",
      "a=recvonly, a=inactive",
      "a=inactive, a=inactive",
    })
    void anUnspecifiedAddressBecomesADirectionAndOurAddress(String said, String passed) {
      for (String zero : List.of("IN IP4 0.0.0.0", "IN IP6 ::", "IN IP6 held.invalid")) {
        SessionDescription offer =
            sdp(
                "v=0\no=x 1 1 IN IP4 192.0.2.1\ns=-\nc="
                    + zero
                    + "\nt=0 0\n"
                    + "m=audio 4000 RTP/AVP 0\n"
                    + (said.isEmpty() ? "" : said + "\n"));
        assertThat(offered(offer).toString())
            .endsWith("c=IN IP4 203.0.113.20\nt=0 0\nm=audio 20000 RTP/AVP 0\n" + passed + "\n");
      }
    }

    @ParameterizedTest
    @CsvSource({
      "sendonly, sendrecv, recvonly",
      "sendonly, recvonly, recvonly",
      "sendonly, inactive, inactive",
      "sendonly, sendonly, inactive",
      "recvonly, sendrecv, sendonly",
      "inactive, sendrecv, inactive",
      "sendrecv, sendonly, sendonly",
      "sendrecv, sendrecv, sendrecv",
    })
    void anAnswerSaysOnlyWhatTheOfferAllows(String offer, String answer, String passed) {
      SessionDescription body =
          leg(End.A)
              .answering(
                  peer("198.51.100.2", "m=audio 5000 RTP/AVP 0\na=" + answer + "\n"),
                  peer("192.0.2.1", "m=audio 4000 RTP/AVP 0\na=" + offer + "\n"),
                  addresses(1))
              .body();
      assertThat(body.media().getFirst().direction().attribute()).isEqualTo(passed);
    }

    @Test
    void atSessionLevelIsOverriddenOnlyForTheLineHeldByAddress() {
      SessionDescription offer =
          sdp(
              """
              v=0
              o=x 1 1 IN IP4 192.0.2.1
              s=-
              c=IN IP4 192.0.2.1
              t=0 0
              a=sendrecv
              m=audio 4000 RTP/AVP 0
              c=IN IP4 0.0.0.0
              m=video 4002 RTP/AVP 31
              """);
      String body = offered(offer).toString();
      assertThat(body)
          .endsWith(
              """
              a=sendrecv
              m=audio 20000 RTP/AVP 0
              c=IN IP4 203.0.113.20
              a=sendonly
              m=video 20010 RTP/AVP 31
              """);
    }
  }

  @Nested
  class Answers {
    @Test
    void haveRtcpMuxOnlyWhereItWasOffered() {
      String mux = "m=audio 4000 RTP/AVP 0\na=rtcp-mux\n";
      String none = "m=audio 4000 RTP/AVP 0\n";
      assertThat(offered(mux)).isEqualTo("m=audio 20000 RTP/AVP 0\na=rtcp-mux\n");
      assertThat(answered(mux, mux)).isEqualTo("m=audio 10000 RTP/AVP 0\na=rtcp-mux\n");
      assertThat(answered(none, mux)).isEqualTo("m=audio 10000 RTP/AVP 0\n");
      assertThat(answered(mux, none)).isEqualTo("m=audio 10000 RTP/AVP 0\n");
    }

    @Test
    void nameThePortOfRtpForRtcpThatSharesIt() {
      assertThat(
              answered(
                  "m=audio 4000 RTP/AVP 0\na=rtcp-mux\n",
                  "m=audio 5000 RTP/AVP 0\na=rtcp:5000\na=rtcp-mux\n"))
          .isEqualTo("m=audio 10000 RTP/AVP 0\na=rtcp:10000\na=rtcp-mux\n");
    }

    @Test
    void haveExactlyTheLinesOfTheOffer() {
      String two = "m=audio 4000 RTP/AVP 0\nm=video 4002 RTP/AVP 31\na=mid:v\n";
      assertThat(answered(two, "m=audio 5000 RTP/AVP 0\n"))
          .isEqualTo("m=audio 10000 RTP/AVP 0\nm=video 0 RTP/AVP 31\na=mid:v\n");
      assertThat(
              answered(
                  two, "m=video 5000 RTP/AVP 31\nm=audio 5002 RTP/AVP 0\nm=text 1 RTP/AVP 98\n"))
          .isEqualTo("m=audio 0 RTP/AVP 0\nm=video 0 RTP/AVP 31\na=mid:v\n");
    }

    @Test
    void leaveALineRejectedThatWasOfferedSo() {
      assertThat(answered("m=audio 0 RTP/AVP 0\n", "m=audio 5000 RTP/AVP 0\n"))
          .isEqualTo("m=audio 0 RTP/AVP 0\n");
    }

    @Test
    void canRejectEverything() {
      SessionDescription offer =
          peer("192.0.2.1", "m=audio 4000 RTP/AVP 0\na=x\nm=video 4002 RTP/AVP 31\n");
      String body = leg(End.A).rejecting(offer).body().toString();
      assertThat(body)
          .isEqualTo(
              """
              v=0
              o=- 1001 1 IN IP4 203.0.113.9
              s=-
              c=IN IP4 203.0.113.9
              t=0 0
              m=audio 0 RTP/AVP 0
              m=video 0 RTP/AVP 31
              """);
    }

    @Test
    void ofEachDialogOfAForkAreOfASessionOfTheirOwn() {
      SessionDescription offer = peer("192.0.2.1", "m=audio 4000 RTP/AVP 0 8\n");
      LegSdp one =
          LegSdp.start(End.A, 1, Sdps.ORIGIN)
              .answering(peer("198.51.100.2", "m=audio 5000 RTP/AVP 0\n"), offer, addresses(1));
      LegSdp other =
          LegSdp.start(End.A, 2, Sdps.ORIGIN)
              .answering(peer("198.51.100.3", "m=audio 6000 RTP/AVP 8\n"), offer, addresses(1));
      assertThat(one.body().origin().sessionId()).isEqualTo("1");
      assertThat(other.body().origin().sessionId()).isEqualTo("2");
      assertThat(other.version()).isEqualTo(1);
    }
  }
}
