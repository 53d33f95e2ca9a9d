package io.sippbx.shared.sdp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.sdp.SdpParseResult.Malformed;
import io.sippbx.shared.sdp.SdpParseResult.Parsed;
import io.sippbx.shared.sdp.SdpParseResult.Problem;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("session description (RFC 8866)")
class SessionDescriptionTest {

  /** The example of RFC 8866 5, with an address in place of its name in "o=". */
  private static final String RFC_8866 =
      """
      v=0
      o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1
      s=Call to John Smith
      i=SDP Offer #1
      u=http://www.jdoe.example.com/home.html
      e=Jane Doe <jane@jdoe.example.com>
      p=+1 617 555-6011
      c=IN IP4 198.51.100.1
      t=0 0
      m=audio 49170 RTP/AVP 0
      m=audio 49180 RTP/AVP 0
      m=video 51372 RTP/AVP 99
      c=IN IP6 2001:db8::2
      a=rtpmap:99 h263-1998/90000
      """;

  static SessionDescription parsed(String text) {
    SdpParseResult result = SessionDescription.parse(bytes(text), SdpLimits.DEFAULT);
    assertThat(result).isInstanceOf(Parsed.class);
    return ((Parsed) result).description();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static String crlf(String text) {
    return text.replace("\n", "\r\n");
  }

  private static String written(SessionDescription description) {
    return new String(description.toBytes(), StandardCharsets.ISO_8859_1);
  }

  @Nested
  class Reading {
    @Test
    void readsTheExampleOfTheRfc() {
      SessionDescription sdp = parsed(RFC_8866);
      assertThat(sdp.origin())
          .isEqualTo(new Origin("jdoe", "3724394400", "3724394405", "IN", "IP4", "198.51.100.1"));
      assertThat(sdp.connection()).contains(Connection.of(IpAddress.of("198.51.100.1")));
      assertThat(sdp.media()).hasSize(3);
      assertThat(sdp.media().get(1).rtp()).contains(Endpoint.of("198.51.100.1", 49180));
      MediaDescription video = sdp.media().get(2);
      assertThat(video.media()).isEqualTo("video");
      assertThat(video.protocol()).isEqualTo("RTP/AVP");
      assertThat(video.rtp()).contains(Endpoint.of("2001:db8::2", 51372));
      assertThat(video.rtpMap(99)).contains(new RtpMap(99, "h263-1998", 90_000, ""));
    }

    @Test
    void writesWhatItReadWhenLinesEndWithCrLf() {
      assertThat(written(parsed(crlf(RFC_8866)))).isEqualTo(crlf(RFC_8866));
    }

    @Test
    void writesCrLfWhereLinesEndedWithLf() {
      assertThat(written(parsed(RFC_8866))).isEqualTo(crlf(RFC_8866));
    }

    @Test
    void toleratesALastLineWithoutAnEndAndEmptyLinesAfterIt() {
      String stripped = crlf(RFC_8866).strip();
      assertThat(written(parsed(stripped))).isEqualTo(crlf(RFC_8866));
      assertThat(written(parsed(stripped + "\r\n\r\n\n"))).isEqualTo(crlf(RFC_8866));
    }

    @Test
    void keepsUnknownLinesAttributesAndOctets() {
      String odd =
          crlf(
              """
              v=0
              o=- 1 1 IN IP4 192.0.2.1
              s=caf\u00c3\u00a9 \u00ff
              c=IN IP4 192.0.2.1
              X=what is this
              a=X-unknown
              a=
              k=clear:secret
              m=audio 4000 RTP/AVP 0
              y=0100000001
              a=X-other: spaces  kept\s
              """);
      assertThat(written(parsed(odd))).isEqualTo(odd);
    }

    @Test
    void readsAnOriginWhoseUserHasSpaces() {
      Origin origin = parsed("v=0\no=John Q Public 1 2 IN IP4 192.0.2.1\n").origin();
      assertThat(origin.username()).isEqualTo("John Q Public");
      assertThat(origin.sessionVersion()).isEqualTo("2");
    }

    @Test
    void readsARejectedLineWithoutFormatsAndConnection() {
      SessionDescription sdp =
          parsed("v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nt=0 0\nm=video 0 RTP/AVP\n");
      assertThat(sdp.media().getFirst().isActive()).isFalse();
      assertThat(sdp.media().getFirst().rtp()).isEmpty();
      assertThat(sdp.media().getFirst().formats()).isEmpty();
    }

    @Test
    void readsASessionWithoutMedia() {
      assertThat(parsed("v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nt=0 0\n").media()).isEmpty();
    }
  }

  @Nested
  class Refusing {
    @ParameterizedTest(name = "{0}")
    @CsvSource(
        delimiter = '!',
        ignoreLeadingAndTrailingWhitespace = false,
        value = {
          "nothing!''!0",
          "only ends of lines!~~!0",
          "no version!o=- 1 1 IN IP4 192.0.2.1~!1",
          "another version!v=1~o=- 1 1 IN IP4 192.0.2.1~!1",
          "a second version!v=0~o=- 1 1 IN IP4 192.0.2.1~v=0~!3",
          "no origin!v=0~s=-~t=0 0~!0",
          "an origin of five fields!v=0~o=1 1 IN IP4 192.0.2.1~!2",
          "two origins!v=0~o=- 1 1 IN IP4 192.0.2.1~o=- 1 1 IN IP4 192.0.2.1~!3",
          "an origin after media!v=0~m=audio 0 RTP/AVP 0~o=- 1 1 IN IP4 192.0.2.1~!3",
          "an empty line inside!v=0~~o=- 1 1 IN IP4 192.0.2.1~!2",
          "no equals sign!v=0~o=- 1 1 IN IP4 192.0.2.1~session~!3",
          "a space before the equals sign!v=0~o =- 1 1 IN IP4 192.0.2.1~!2",
          "a digit for a type!v=0~o=- 1 1 IN IP4 192.0.2.1~1=x~!3",
          "a CR inside a line!v=0~o=- 1 1 IN IP4 192.0.2.1~s=a^b~!3",
          "a connection of two fields!v=0~o=- 1 1 IN IP4 192.0.2.1~c=IN 192.0.2.1~!3",
          "a media line without port!v=0~o=- 1 1 IN IP4 192.0.2.1~m=audio~!3",
          "a port that is no number!v=0~o=- 1 1 IN IP4 192.0.2.1~m=audio x RTP/AVP 0~!3",
          "a port above 65535!v=0~o=- 1 1 IN IP4 192.0.2.1~m=audio 65536 RTP/AVP 0~!3",
          "a negative port!v=0~o=- 1 1 IN IP4 192.0.2.1~m=audio -1 RTP/AVP 0~!3",
          "no ports!v=0~o=- 1 1 IN IP4 192.0.2.1~m=audio 4000/0 RTP/AVP 0~!3",
          "no formats!v=0~o=- 1 1 IN IP4 192.0.2.1~m=audio 4000 RTP/AVP~!3",
          "no connection!v=0~o=- 1 1 IN IP4 192.0.2.1~m=audio 4000 RTP/AVP 0~!0",
        })
    void saysWhichLineIsMalformed(String what, String text, int line) {
      SdpParseResult result =
          SessionDescription.parse(
              bytes(text.replace('~', '\n').replace('^', '\r')), SdpLimits.DEFAULT);
      assertThat(result).as(what).isInstanceOf(Malformed.class);
      assertThat(((Malformed) result).problem()).isEqualTo(Problem.SYNTAX);
      assertThat(((Malformed) result).line()).isEqualTo(line);
    }

    @Test
    void refusesNul() {
      assertThat(
              SessionDescription.parse(
                  bytes("v=0\no=- 1 1 IN IP4 192.0.2.1\ns=a\0b\n"), SdpLimits.DEFAULT))
          .isInstanceOf(Malformed.class);
    }

    @Test
    void refusesWhatIsOverALimit() {
      String text = "v=0\no=- 1 1 IN IP4 192.0.2.1\nm=audio 0 RTP/AVP 0 8\nm=audio 0 RTP/AVP 0 8\n";
      int size = text.length();
      assertThat(SessionDescription.parse(bytes(text), new SdpLimits(size, 4, 2, 2)))
          .isInstanceOf(Parsed.class);
      for (SdpLimits limits :
          List.of(
              new SdpLimits(size - 1, 4, 2, 2),
              new SdpLimits(size, 3, 2, 2),
              new SdpLimits(size, 4, 1, 2),
              new SdpLimits(size, 4, 2, 1))) {
        SdpParseResult result = SessionDescription.parse(bytes(text), limits);
        assertThat(result).as(limits.toString()).isInstanceOf(Malformed.class);
        assertThat(((Malformed) result).problem()).isEqualTo(Problem.OVER_LIMIT);
      }
    }
  }

  @Nested
  class Views {
    private static final String BASE = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\n";

    private MediaDescription media(String lines) {
      return parsed(BASE + lines).media().getFirst();
    }

    @Test
    void directionIsTheLinesOwnElseTheSessionsElseSendrecv() {
      String c = "c=IN IP4 192.0.2.1\n";
      assertThat(media(c + "m=audio 4 RTP/AVP 0\n").direction()).isEqualTo(Direction.SENDRECV);
      assertThat(media(c + "a=recvonly\nm=audio 4 RTP/AVP 0\n").direction())
          .isEqualTo(Direction.RECVONLY);
      assertThat(media(c + "a=recvonly\nm=audio 4 RTP/AVP 0\na=inactive\n").direction())
          .isEqualTo(Direction.INACTIVE);
    }

    @ParameterizedTest
    @CsvSource({
      "IN IP4 0.0.0.0, sendrecv, SENDONLY",
      "IN IP4 0.0.0.0, sendonly, SENDONLY",
      "IN IP4 0.0.0.0, recvonly, INACTIVE",
      "IN IP6 ::, sendrecv, SENDONLY",
      "IN IP6 held.invalid, inactive, INACTIVE",
      "IN IP4 192.0.2.7, sendrecv, SENDRECV",
    })
    void anAddressThatSaysHoldTakesReceivingAway(
        String connection, String attribute, Direction effective) {
      MediaDescription line =
          media("m=audio 4 RTP/AVP 0\nc=" + connection + "\na=" + attribute + "\n");
      assertThat(line.effectiveDirection()).isEqualTo(effective);
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "IN IP4 0.0.0.0",
          "IN IP4 224.2.36.42/127",
          "IN IP6 ff15::101/3",
          "IN IP4 host.example.com",
          "ATM NSAP 47.0091"
        })
    void hasNoAddressToSendToWhereThereIsNone(String connection) {
      assertThat(media("m=audio 4 RTP/AVP 0\nc=" + connection + "\na=rtcp:9\n").rtp()).isEmpty();
      assertThat(media("m=audio 4 RTP/AVP 0\nc=" + connection + "\na=rtcp:9\n").rtcp()).isEmpty();
    }

    @Test
    void readsRtcpWithAndWithoutAddress() {
      String line = "m=audio 4000 RTP/AVP 0\nc=IN IP4 192.0.2.1\n";
      assertThat(media(line).rtcp()).isEmpty();
      assertThat(media(line + "a=rtcp:53020\n").rtcp()).contains(Endpoint.of("192.0.2.1", 53020));
      assertThat(media(line + "a=rtcp:53020 IN IP6 2001:db8::9\n").rtcp())
          .contains(Endpoint.of("2001:db8::9", 53020));
      assertThat(media(line + "a=rtcp:port\n").rtcp()).isEmpty();
      assertThat(media(line + "a=rtcp-mux\n").rtcpMux()).isTrue();
      assertThat(media(line + "a=rtcp-mux-only\n").rtcpMux()).isFalse();
    }

    @Test
    void knowsStaticTypesUnlessTheyAreMapped() {
      MediaDescription line =
          media(
              """
              m=audio 4 RTP/AVP 0 18 96 97
              c=IN IP4 192.0.2.1
              a=rtpmap:96 opus/48000/2
              a=rtpmap:97 broken
              a=fmtp:96 useinbandfec=1
              a=ptime:20
              """);
      assertThat(line.payloadTypes()).containsExactly(0, 18, 96, 97);
      assertThat(line.rtpMap(0)).contains(new RtpMap(0, "PCMU", 8_000, ""));
      assertThat(line.rtpMap(18).orElseThrow().codecName()).isEqualTo("g729");
      assertThat(line.rtpMap(96)).contains(new RtpMap(96, "opus", 48_000, "2"));
      assertThat(line.rtpMap(97)).isEmpty();
      assertThat(line.rtpMap(127)).isEmpty();
      assertThat(line.fmtp("96")).contains("useinbandfec=1");
      assertThat(line.fmtp("9")).isEmpty();
      assertThat(line.ptime()).isEqualTo(OptionalInt.of(20));
    }

    @Test
    void formatsOfOtherTransportsAreNoPayloadTypes() {
      assertThat(media("m=image 4 udptl t38\nc=IN IP4 192.0.2.1\n").payloadTypes()).isEmpty();
      assertThat(media("m=audio 4 UDP/TLS/RTP/SAVPF 96\nc=IN IP4 192.0.2.1\n").isRtp()).isTrue();
    }

    @Test
    void oneChannelIsTheSameAsNoneSaid() {
      var mono = new RtpMap(97, "L16", 8_000, "1");
      assertThat(mono.sameCodec(new RtpMap(96, "l16", 8_000, ""))).isTrue();
      assertThat(mono.sameCodec(new RtpMap(96, "L16", 8_000, "2"))).isFalse();
    }
  }

  @Nested
  class Changing {
    private final SessionDescription sdp = parsed(RFC_8866);

    private List<String> changedLines(SessionDescription changed) {
      var now = new java.util.ArrayList<>(changed.toString().lines().toList());
      for (String line : sdp.toString().lines().toList()) {
        now.remove(line);
      }
      return now;
    }

    @Test
    void changesOnlyTheOrigin() {
      SessionDescription changed = sdp.withOrigin(Origin.of(7, 3, IpAddress.of("2001:db8::1")));
      assertThat(changedLines(changed)).containsExactly("o=- 7 3 IN IP6 2001:db8::1");
      assertThat(changed.sessionLines()).hasSameSizeAs(sdp.sessionLines());
      assertThat(changed.sameApartFromOrigin(sdp)).isTrue();
      assertThat(changed).isNotEqualTo(sdp);
      SessionDescription spaced = parsed(RFC_8866.replace("o=jdoe 3", "o=jdoe  3"));
      assertThat(spaced).isNotEqualTo(sdp);
      assertThat(spaced.sameApartFromOrigin(sdp)).isTrue();
      assertThat(spaced.withMedia(0, m -> m.withPort(1)).sameApartFromOrigin(sdp)).isFalse();
    }

    @Test
    void changesOnlyThePort() {
      SessionDescription changed = sdp.withMedia(1, m -> m.withPort(9000));
      assertThat(changedLines(changed)).containsExactly("m=audio 9000 RTP/AVP 0");
      assertThat(changed.media().get(1).rtp()).contains(Endpoint.of("198.51.100.1", 9000));
    }

    @Test
    void mediaLinesInheritAChangedConnection() {
      SessionDescription changed = sdp.withConnection(Connection.of(IpAddress.of("203.0.113.5")));
      assertThat(changedLines(changed)).containsExactly("c=IN IP4 203.0.113.5");
      assertThat(changed.media().getFirst().rtp()).contains(Endpoint.of("203.0.113.5", 49170));
      assertThat(changed.media().get(2).rtp()).contains(Endpoint.of("2001:db8::2", 51372));
    }

    @Test
    void putsAConnectionWhereTheRfcWantsIt() {
      SessionDescription bare =
          parsed(
              """
              v=0
              o=- 1 1 IN IP4 192.0.2.1
              s=-
              b=AS:64
              t=0 0
              m=audio 0 RTP/AVP 0
              i=title
              b=AS:32
              a=x
              """);
      Connection connection = Connection.of(IpAddress.of("192.0.2.9"));
      assertThat(bare.withConnection(connection).toString())
          .contains("s=-\nc=IN IP4 192.0.2.9\nb=AS:64\n");
      assertThat(bare.withMedia(0, m -> m.withConnection(connection)).toString())
          .contains("i=title\nc=IN IP4 192.0.2.9\nb=AS:32\n");
    }

    @Test
    void saysTheDirectionAnewOnlyWhenItDiffers() {
      SessionDescription held = sdp.withMedia(0, m -> m.withDirection(Direction.SENDONLY));
      assertThat(changedLines(held)).containsExactly("a=sendonly");
      assertThat(held.withMedia(0, m -> m.withDirection(Direction.SENDONLY))).isEqualTo(held);
      assertThat(sdp.withMedia(0, m -> m.withDirection(Direction.SENDRECV))).isEqualTo(sdp);
    }

    @Test
    void leavesOneOfSeveralLinesThatAreReplaced() {
      SessionDescription twice =
          parsed(RFC_8866 + "a=sendonly\na=x\na=inactive\n")
              .withMedia(2, m -> m.withDirection(Direction.RECVONLY));
      assertThat(twice.toString()).endsWith("a=recvonly\na=x\n");
    }

    @Test
    void ordersFormatsAndRejects() {
      MediaDescription line =
          parsed(
                  """
              v=0
              o=- 1 1 IN IP4 192.0.2.1
              c=IN IP4 192.0.2.1
              m=audio 4/2 RTP/AVP 0 8
              b=AS:64
              a=mid:1
              a=sendonly
              """)
              .media()
              .getFirst();
      assertThat(line.withFormats(List.of("8", "0")).lines().getFirst().toString())
          .isEqualTo("m=audio 4/2 RTP/AVP 8 0");
      assertThat(line.rejected().toString()).isEqualTo("m=audio 0 RTP/AVP 0 8\na=mid:1\n");
    }

    @Test
    void replacesRtcpInItsPlace() {
      MediaDescription line =
          parsed(
                  """
              v=0
              o=- 1 1 IN IP4 192.0.2.1
              c=IN IP4 192.0.2.1
              m=audio 4 RTP/AVP 0
              a=rtcp:5 IN IP4 192.0.2.1
              a=x
              """)
              .media()
              .getFirst();
      assertThat(line.withRtcp(new RtcpAddress(9, Optional.empty())).toString())
          .isEqualTo("m=audio 4 RTP/AVP 0\na=rtcp:9\na=x\n");
    }

    @Test
    void refusesValuesThatWouldBeOtherLines() {
      assertThatThrownBy(() -> sdp.withSessionName("x\r\nm=audio 1 RTP/AVP 0"))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
