package io.sippbx.control.sip.message;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sippbx.control.sip.message.ParseResult.KeepAlive;
import io.sippbx.control.sip.message.ParseResult.Malformed;
import io.sippbx.control.sip.message.ParseResult.NeedMoreBytes;
import io.sippbx.control.sip.message.ParseResult.Parsed;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SipParserTest {

  private static final String HEAD =
      """
      OPTIONS sip:b@example.com SIP/2.0
      Via: SIP/2.0/TCP a.example.com;branch=z9hG4bK1
      From: <sip:a@example.com>;tag=1
      To: <sip:b@example.com>
      Call-ID: c1
      CSeq: 7 OPTIONS
      """;
  private static final SipLimits LIMITS = SipLimits.DEFAULT;

  private static byte[] octets(String text) {
    return text.replace("\n", "\r\n").getBytes(StandardCharsets.UTF_8);
  }

  private static ParseResult parse(String text) {
    return parse(text, LIMITS);
  }

  private static ParseResult parse(String text, SipLimits limits) {
    byte[] octets = octets(text);
    return SipParser.parse(octets, 0, octets.length, limits);
  }

  private static ParseResult parseStream(String text) {
    byte[] octets = octets(text);
    return SipParser.parseStream(octets, 0, octets.length, LIMITS);
  }

  /** A request with more header lines. */
  private static SipRequest request(String lines) {
    return (SipRequest) assertInstanceOf(Parsed.class, parse(HEAD + lines + "\n")).message();
  }

  private static Malformed refused(ParseResult result) {
    return assertInstanceOf(Malformed.class, result);
  }

  @Nested
  @DisplayName("header fields (RFC 3261 7.3)")
  class HeaderFields {
    @Test
    void givesUnknownOnesAsTheyCame() {
      SipRequest request = request("X-a:  1,\n 2\nx-A: 3 \nSubject:\n");
      assertEquals(Optional.of("1, 2"), request.header(HeaderName.of("X-A")));
      assertEquals(List.of("1, 2", "3"), request.headers(HeaderName.of("x-a")));
      assertEquals(new HeaderField("X-a", "1,\r\n 2"), request.headerFields().get(5));
      assertEquals(new HeaderField("x-A", "3"), request.headerFields().get(6));
      assertEquals(Optional.of(""), request.header(HeaderName.SUBJECT));
      assertEquals(Optional.empty(), request.header(HeaderName.SERVER));
      assertTrue(request.hasHeader(HeaderName.SUBJECT));
      assertFalse(request.hasHeader(HeaderName.of("X-B")));
    }

    @Test
    void splitsListsOutsideQuotesAndBrackets() {
      SipRequest request =
          request(
              """
              Warning: 307 h "a, \\"b\\"", 301 h "c"
              Warning: 399 h "d"
              Call-Info: <http://x/a,b>;purpose=icon , <http://y>
              Authorization: Digest realm="r", nonce="n"
              """);
      assertEquals(
          List.of("307 h \"a, \\\"b\\\"\"", "301 h \"c\"", "399 h \"d\""),
          request.headers(HeaderName.WARNING));
      assertEquals(
          List.of("<http://x/a,b>;purpose=icon", "<http://y>"),
          request.headers(HeaderName.CALL_INFO));
      assertEquals(
          List.of("Digest realm=\"r\", nonce=\"n\""), request.headers(HeaderName.AUTHORIZATION));
    }

    @Test
    void readsSeveralValuesOfAllFields() {
      SipRequest request =
          request(
              """
              m: <sip:1@h>;q=0.5, sip:2@h
              Contact: "3, x" <sip:3@h>
              Route: <sip:r1;lr>,<sip:r2;lr>
              Record-Route: <sip:r3;lr>
              Path: <sip:p>
              k: timer, 100rel
              Supported:
              Require: path
              """);
      assertEquals(
          List.of("<sip:1@h>;q=0.5", "<sip:2@h>", "\"3, x\" <sip:3@h>"),
          request.contacts().stream().map(NameAddr::toString).toList());
      assertEquals(2, request.routes().size());
      assertEquals(1, request.recordRoutes().size());
      assertEquals(1, request.paths().size());
      assertEquals(List.of("timer", "100rel"), request.optionTags(HeaderName.SUPPORTED));
      assertEquals(List.of("path"), request.optionTags(HeaderName.REQUIRE));
      assertEquals(List.of(), request.optionTags(HeaderName.UNSUPPORTED));
      assertFalse(request.contactIsWildcard());
    }

    @Test
    void readsTheWildcard() {
      SipRequest request = request("Contact: *\nExpires: 0\n");
      assertTrue(request.contactIsWildcard());
      assertEquals(List.of(), request.contacts());
      assertEquals(OptionalLong.of(0), request.expires());
    }

    @Test
    void readsNumbers() {
      SipRequest request = request("Max-Forwards: 0255\nExpires: 99999999999\nMin-Expires: 60\n");
      assertEquals(OptionalInt.of(255), request.maxForwards());
      assertEquals(OptionalLong.of(0xffff_ffffL), request.expires());
      assertEquals(OptionalLong.of(60), request.minExpires());
      assertEquals(OptionalInt.empty(), request.contentLength());
      assertEquals(OptionalInt.empty(), request("").maxForwards());
    }

    @Test
    void knowsContentTypes() {
      SipRequest request = request("c: Application / SDP ;charset=utf-8\n");
      assertTrue(request.isContentType("application/sdp"));
      assertFalse(request.isContentType("application/sd"));
      assertFalse(request("").isContentType("application/sdp"));
      assertEquals(Optional.of("Application / SDP ;charset=utf-8"), request.contentType());
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "Max-Forwards: 256 | Bad Max-Forwards",
          "Max-Forwards: -1 | Bad Max-Forwards",
          "Max-Forwards: | Bad Max-Forwards",
          "Expires: soon | Bad Expires",
          "Min-Expires: -1 | Bad Expires",
          "Content-Length: x | Bad Content-Length",
          "Content-Length: 99999999999 | Bad Content-Length",
          "Content-Type: text | Bad Content-Type",
          "Content-Type: text/plain; | Bad Content-Type",
          "Contact: *, <sip:a@b> | Bad Contact",
          "Contact: <sip:a@b>, | Bad Contact",
          "Contact: | Bad Contact",
          "Route: sip:a@b | Bad Route",
          "Record-Route: <sip:a@b> <sip:c> | Bad Route",
          "Path: x | Bad Route",
          "Supported: a b | Bad Header Value",
          "Require: a,,b | Bad Header Value",
          "Require: a, | Bad Header Value",
          "Via: SIP/2.0/UDP | Bad Via",
          "From: <sip:x> | Repeated Header",
          "f: <sip:x> | Repeated Header",
          "Call-ID: c1 | Repeated Header",
          "Session-Expires: 1 | -",
          ": x | Bad Header Line",
          "no colon | Bad Header Line",
          "a b: c | Bad Header Line",
        })
    void checksEachThatHasAView(String line, String reason) {
      ParseResult result = parse(HEAD + line + "\n\n");
      if (reason.equals("-")) {
        assertInstanceOf(Parsed.class, result);
      } else {
        assertEquals(400, refused(result).status());
        assertEquals(reason, refused(result).reason());
        assertEquals(!reason.equals("Bad Via"), refused(result).answerable().isPresent());
      }
    }

    @Test
    void refusesASecondOfWhatComesOnce() {
      assertEquals(
          "Repeated Header", refused(parse(HEAD + "Session-Expires: 90\nx: 90\n\n")).reason());
      assertInstanceOf(Parsed.class, parse(HEAD + "User-Agent: a\nUser-Agent: b\n\n"));
    }

    @ParameterizedTest
    @ValueSource(
        strings = {"X: a\rb", "X: a\nb", "X: a\0b", "X: \"a\\\rb\"", "X: a\u007f", "X\0: a"})
    void refusesControlCharacters(String line) {
      byte[] octets =
          (HEAD.replace("\n", "\r\n") + line + "\r\n\r\n").getBytes(StandardCharsets.UTF_8);
      Malformed malformed = refused(SipParser.parse(octets, 0, octets.length, LIMITS));
      assertEquals("Bad Header Line", malformed.reason());
      SipRequest answerable = malformed.answerable().orElseThrow();
      assertEquals(5, answerable.headerFields().size(), "the line is left out");
    }
  }

  @Nested
  @DisplayName("start-line (RFC 3261 7.1, 7.2)")
  class StartLine {
    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "OPTIONS sip:b SIP/3.0 | 505 | Version Not Supported",
          "OPTIONS sip:b sip/12.34 | 505 | Version Not Supported",
          "OPTIONS sip:b HTTP/1.1 | 400 | Bad Start Line",
          "OPTIONS sip:b SIP/2.x | 400 | Bad Start Line",
          "OPTIONS sip:b SIP/ | 400 | Bad Start Line",
          "OPTIONS sip:b SIP/2.0. | 400 | Bad Start Line",
          "OPTIONS  sip:b SIP/2.0 | 400 | Bad Request-URI",
          "OPTIONS sip:b  SIP/2.0 | 400 | Bad Request-URI",
          "OPTIONS sip:a b SIP/2.0 | 400 | Bad Request-URI",
          "OPTIONS b SIP/2.0 | 400 | Bad Request-URI",
          "OPTIONS sip:b?x=1 SIP/2.0 | 400 | Bad Request-URI",
          "OPTIONS SIP/2.0 | 400 | Bad Start Line",
          "OPTIONS | 400 | Bad Start Line",
          "OPT(IONS sip:b SIP/2.0 | 400 | Bad Start Line",
          "INVITE sip:b SIP/2.0 | 400 | CSeq Method Mismatch",
          "options sip:b SIP/2.0 | 400 | CSeq Method Mismatch",
          "SIP/2.0 99 x | 400 | Bad Start Line",
          "SIP/2.0 700 x | 400 | Bad Start Line",
          "SIP/2.0 2000 x | 400 | Bad Start Line",
          "SIP/2.0 20x | 400 | Bad Start Line",
          "SIP/2.0 | 400 | Bad Start Line",
          "SIP/2.0 200x OK | 400 | Bad Start Line",
          "SIP/3.0 200 OK | 505 | Version Not Supported",
        })
    void refuses(String line, int status, String reason) {
      Malformed malformed = refused(parse(HEAD.replaceFirst(".*\n", line + "\n") + "\n"));
      assertEquals(reason, malformed.reason());
      assertEquals(status, malformed.status());
    }

    @ParameterizedTest
    @CsvSource({"SIP/2.0 200 OK,OK", "SIP/2.0 200 ,''", "SIP/2.0 200,''", "sip/2.0 200 a b,a b"})
    void readsStatusLines(String line, String reason) {
      var response =
          (SipResponse)
              assertInstanceOf(Parsed.class, parse(HEAD.replaceFirst(".*\n", line + "\n") + "\n"))
                  .message();
      assertEquals(200, response.status());
      assertEquals(reason, response.reason());
      assertTrue(response.isFinal() && response.isSuccess() && !response.isProvisional());
    }

    @Test
    void answersAnotherVersion() {
      Malformed malformed = refused(parse(HEAD.replace("com SIP/2.0", "com SIP/7.0") + "\n"));
      SipRequest request = malformed.answerable().orElseThrow();
      assertEquals(new CSeq(7, Method.OPTIONS), request.cSeq());
      assertEquals("sip:b@example.com", request.uri().toString());
    }

    @Test
    void doesNotAnswerAnAck() {
      String ack = HEAD.replace("OPTIONS", "ACK") + "Max-Forwards: x\n\n";
      assertEquals(Optional.empty(), refused(parse(ack)).answerable());
    }

    @Test
    void doesNotAnswerAResponse() {
      String response = HEAD.replaceFirst(".*\n", "SIP/2.0 200 OK\n") + "Max-Forwards: x\n\n";
      assertEquals(Optional.empty(), refused(parse(response)).answerable());
    }
  }

  @ParameterizedTest
  @CsvSource({"Via", "From", "To", "Call-ID", "CSeq"})
  void refusesAMessageWithout(String name) {
    Malformed malformed = refused(parse(HEAD.replaceFirst(name + ": .*\n", "") + "\n"));
    assertEquals(400, malformed.status());
    assertEquals("Missing " + name, malformed.reason());
    assertEquals(Optional.empty(), malformed.answerable());
  }

  @Nested
  @DisplayName("datagrams (RFC 3261 18.3)")
  class Datagrams {
    @Test
    void endWithTheBody() {
      var parsed = assertInstanceOf(Parsed.class, parse(HEAD + "\nbody"));
      assertArrayEquals("body".getBytes(StandardCharsets.UTF_8), parsed.message().body());
      assertTrue(parsed.message().hasBody());
    }

    @Test
    void loseWhatIsPastContentLength() {
      byte[] octets = octets(HEAD + "l: 2\n\nbody");
      var parsed =
          assertInstanceOf(Parsed.class, SipParser.parse(octets, 0, octets.length, LIMITS));
      assertArrayEquals("bo".getBytes(StandardCharsets.UTF_8), parsed.message().body());
      assertEquals(octets.length, parsed.consumed());
      assertEquals(octets.length - 2, parsed.message().size());
    }

    @Test
    void areRefusedWhenCutShort() {
      assertEquals(
          "Body Shorter Than Content-Length", refused(parse(HEAD + "l: 5\n\nbody")).reason());
      assertEquals("No End of Headers", refused(parse(HEAD)).reason());
      assertEquals("Bad Start Line", refused(parse("OPTIONS")).reason());
    }

    @Test
    void mayStartWithLineEnds() {
      byte[] octets = octets("\n\n" + HEAD + "\n");
      var parsed =
          assertInstanceOf(Parsed.class, SipParser.parse(octets, 0, octets.length, LIMITS));
      assertEquals(octets.length - 4, parsed.message().size());
      assertEquals("c1", parsed.message().callId().value());
    }

    @Test
    void mayKeepAlive() {
      assertEquals(new KeepAlive(4), parse("\n\n"));
      assertEquals(new KeepAlive(0), parse(""));
    }

    @Test
    void keepAnArrayThatTheyFillAndNoOther() {
      byte[] whole = octets(HEAD + "Content-Length: 2\n\nab");
      assertKept(whole, true);
      assertKept(octets("\n" + HEAD + "Content-Length: 2\n\nab"), false);
      assertKept(octets(HEAD + "Content-Length: 2\n\nabc"), false);
    }

    private static void assertKept(byte[] octets, boolean kept) {
      var parsed = assertInstanceOf(Parsed.class, SipParser.parseOwned(octets, LIMITS));
      assertArrayEquals("ab".getBytes(StandardCharsets.UTF_8), parsed.message().body());
      octets[octets.length - 1] = '!';
      octets[octets.length - 2] = '!';
      assertEquals(kept, parsed.message().body()[0] == '!');
    }

    @Test
    void lieAnywhereInABuffer() {
      byte[] message = octets(HEAD + "\nbody");
      var buffer = new byte[message.length + 20];
      System.arraycopy(message, 0, buffer, 11, message.length);
      var parsed =
          assertInstanceOf(Parsed.class, SipParser.parse(buffer, 11, message.length, LIMITS));
      assertArrayEquals(message, parsed.message().toBytes());
      assertEquals(message.length, parsed.consumed());
      java.util.Arrays.fill(buffer, (byte) 'x');
      assertArrayEquals(message, parsed.message().toBytes(), "the octets are the message's own");
      assertEquals("c1", parsed.message().callId().value());
    }
  }

  @Nested
  @DisplayName("streams (RFC 3261 18.3, RFC 5626 3.5.1)")
  class Streams {
    @Test
    void giveEachMessageByItsLength() {
      byte[] octets = octets(HEAD + "l: 4\n\nbody\n\n" + HEAD + "l: 0\n\n\n");
      var consumed = new ArrayList<Integer>();
      int at = 0;
      while (at < octets.length) {
        ParseResult result = SipParser.parseStream(octets, at, octets.length - at, LIMITS);
        int used =
            switch (result) {
              case Parsed parsed -> parsed.consumed();
              case KeepAlive keepAlive -> keepAlive.consumed();
              case NeedMoreBytes needMore -> throw new AssertionError(needMore);
              case Malformed malformed -> throw new AssertionError(malformed);
            };
        consumed.add(used);
        at += used;
      }
      int first = octets(HEAD + "l: 4\n\nbody").length;
      assertEquals(List.of(first, 4, octets(HEAD + "l: 0\n\n").length, 2), consumed);
    }

    @Test
    void sayHowMuchIsMissing() {
      byte[] octets = octets(HEAD + "l: 4\n\nbody");
      assertEquals(new NeedMoreBytes(1, 0), SipParser.parseStream(octets, 0, 0, LIMITS));
      assertEquals(new NeedMoreBytes(11, 10), SipParser.parseStream(octets, 0, 10, LIMITS));
      var body =
          assertInstanceOf(
              NeedMoreBytes.class, SipParser.parseStream(octets, 0, octets.length - 1, LIMITS));
      assertEquals(octets.length, body.atLeast());
      assertInstanceOf(
          Parsed.class, SipParser.parseStream(octets, 0, octets.length, body.scanned(), LIMITS));
    }

    @Test
    void findTheEndOfHeadersWhereverTheyAreCut() {
      byte[] octets = octets(HEAD + "l: 0\n\n");
      for (int cut = 1; cut < octets.length; cut++) {
        var first =
            assertInstanceOf(NeedMoreBytes.class, SipParser.parseStream(octets, 0, cut, LIMITS));
        assertEquals(cut + 1, first.atLeast());
        assertInstanceOf(
            Parsed.class, SipParser.parseStream(octets, 0, octets.length, first.scanned(), LIMITS));
      }
    }

    @Test
    void mayKeepAlive() {
      assertEquals(new KeepAlive(4), parseStream("\n\n" + HEAD));
      assertEquals(new KeepAlive(2), parseStream("\n" + HEAD));
      assertEquals(new KeepAlive(2), parseStream("\n"));
      byte[] half = {'\r'};
      assertEquals(new NeedMoreBytes(2, 0), SipParser.parseStream(half, 0, 1, LIMITS));
      byte[] wrong = {'\r', 'x'};
      assertEquals(0, refused(SipParser.parseStream(wrong, 0, 2, LIMITS)).consumed());
    }

    @Test
    void goOnAfterAMalformedMessageOfKnownLength() {
      byte[] octets = octets(HEAD + "Max-Forwards: x\nl: 4\n\nbody" + HEAD);
      Malformed malformed = refused(SipParser.parseStream(octets, 0, octets.length, LIMITS));
      assertEquals("Bad Max-Forwards", malformed.reason());
      assertEquals(octets(HEAD + "Max-Forwards: x\nl: 4\n\nbody").length, malformed.consumed());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "l: x\n", "l: 1\nl: 1\n", "l: 65536\n", "l: 2000000000\n"})
    void endWhereTheLengthIsNotKnown(String line) {
      Malformed malformed = refused(parseStream(HEAD + line + "\n"));
      assertEquals(0, malformed.consumed());
      assertTrue(malformed.answerable().isPresent());
    }

    @Test
    void areNotBufferedBeyondTheLimitOfHeaders() {
      var limits = new SipLimits(65_535, 100, 256, 70, 256, 8_192, 65_535);
      byte[] octets = octets(HEAD);
      assertInstanceOf(NeedMoreBytes.class, SipParser.parseStream(octets, 0, 100, limits));
      Malformed malformed = refused(SipParser.parseStream(octets, 0, 101, limits));
      assertEquals(513, malformed.status());
      assertEquals(0, malformed.consumed());
    }
  }

  @Nested
  @DisplayName("limits (DESIGN.md, law 6)")
  class Limits {
    private final String body = HEAD + "\n" + "x".repeat(100);

    private SipLimits with(int message, int header, int count, int vias, int uri, int bytes) {
      return new SipLimits(message, header, count, vias, 2, uri, bytes);
    }

    @Test
    void haveAnAnswerEach() {
      int size = octets(body).length;
      assertInstanceOf(Parsed.class, parse(body, with(size, size - 100, 5, 1, 17, 100)));
      check(513, "Message Too Large", with(size - 1, 999, 5, 1, 17, 100));
      check(513, "Headers Too Large", with(size, size - 101, 5, 1, 17, 100));
      check(513, "Too Many Headers", with(size, 999, 4, 1, 17, 100));
      check(414, "Request-URI Too Long", with(size, 999, 5, 1, 16, 100));
      check(413, "Request Entity Too Large", with(size, 999, 5, 1, 17, 99));
    }

    private void check(int status, String reason, SipLimits limits) {
      Malformed malformed = refused(parse(body, limits));
      assertEquals(reason, malformed.reason());
      assertEquals(status, malformed.status());
    }

    @Test
    void countViasAndValues() {
      String vias = HEAD + "v: SIP/2.0/UDP b, SIP/2.0/UDP c\n\n";
      assertInstanceOf(Parsed.class, parse(vias, with(9_999, 999, 9, 3, 99, 9)));
      Malformed hops = refused(parse(vias, with(9_999, 999, 9, 2, 99, 9)));
      assertEquals(483, hops.status());
      assertEquals(3, hops.answerable().orElseThrow().vias().size());
      String contacts = HEAD + "m: <sip:a>, <sip:b>\n";
      assertInstanceOf(Parsed.class, parse(contacts + "\n", with(9_999, 999, 9, 3, 99, 9)));
      Malformed values = refused(parse(contacts + "m: <sip:c>\n\n", with(9_999, 999, 9, 3, 99, 9)));
      assertEquals("Too Many Header Values", values.reason());
    }
  }
}
