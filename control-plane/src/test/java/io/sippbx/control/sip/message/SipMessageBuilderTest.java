package io.sippbx.control.sip.message;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SipMessageBuilderTest {

  private static final Via VIA =
      Via.of(TransportProtocol.UDP, Endpoint.of("192.0.2.9", 5060), new Branch("z9hG4bKnew"));
  private static final NameAddr FROM =
      NameAddr.of("Alice", SipUri.of("alice", "example.com")).withTag(new Tag("a"));
  private static final NameAddr TO = NameAddr.of(SipUri.of("bob", "example.com"));

  private static SipRequest.Builder options() {
    return SipRequest.builder(Method.OPTIONS, SipUri.of("bob", "example.com"))
        .via(VIA)
        .from(FROM)
        .to(TO)
        .callId(new CallId("c1"))
        .cSeq(3);
  }

  private static SipRequest received(String text) {
    byte[] octets = text.replace("\n", "\r\n").getBytes(StandardCharsets.UTF_8);
    return switch (SipParser.parse(octets, 0, octets.length, SipLimits.DEFAULT)) {
      case ParseResult.Parsed(SipMessage message, int consumed) -> (SipRequest) message;
      case ParseResult other -> throw new AssertionError(other);
    };
  }

  private static final SipRequest INVITE =
      received(
          """
          INVITE sip:bob@pbx.example.com SIP/2.0
          v: SIP/2.0/UDP p1;branch=z9hG4bK1 , SIP/2.0/TCP
           p2 ; branch = z9hG4bK2
          Via: SIP/2.0/UDP pc;branch=z9hG4bK3;rport
          f: "A" <sip:a@x>;tag=1
          t: sip:b@x
          i: id@x
          CSeq: 9 INVITE
          Record-Route: <sip:p1;lr>
          Timestamp: 54
          X-One:   as it
            came
          X-Two: y
          m: <sip:a@pc>
          c: application/sdp
          l: 3

          v=0""");

  @Nested
  @DisplayName("requests (RFC 3261 8.1.1)")
  class Requests {
    @Test
    void areWrittenInOrder() {
      assertEquals(
          """
          OPTIONS sip:bob@example.com SIP/2.0
          Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKnew
          From: "Alice" <sip:alice@example.com>;tag=a
          To: <sip:bob@example.com>
          Call-ID: c1
          CSeq: 3 OPTIONS
          Max-Forwards: 70
          Content-Length: 0

          """
              .replace("\n", "\r\n"),
          options().build().toString());
    }

    @Test
    void carryAll() {
      SipRequest request =
          options()
              .maxForwards(5)
              .contact(TO)
              .addContact(FROM)
              .route(NameAddr.of(SipUri.of("r1")))
              .route(NameAddr.of(SipUri.of("r2")))
              .recordRoute(NameAddr.of(SipUri.of("r3")))
              .expires(60)
              .header(HeaderName.SUPPORTED, "timer")
              .addHeader(HeaderName.SUPPORTED, "path, gruu")
              .header(HeaderName.of("X-Own"), "ä")
              .body("text/plain", "hi".getBytes(StandardCharsets.UTF_8))
              .build();
      assertEquals(OptionalInt.of(5), request.maxForwards());
      assertEquals(List.of(TO, FROM), request.contacts());
      assertEquals(2, request.routes().size());
      assertEquals(1, request.recordRoutes().size());
      assertEquals(List.of("timer", "path", "gruu"), request.optionTags(HeaderName.SUPPORTED));
      assertEquals(Optional.of("ä"), request.header(HeaderName.of("x-own")));
      assertEquals(OptionalInt.of(2), request.contentLength());
      assertArrayEquals("hi".getBytes(StandardCharsets.UTF_8), request.body());
      assertEquals(request, received(request.toString().replace("\r\n", "\n")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Via", "From", "To", "Call-ID", "CSeq"})
    void needTheirFiveHeaders(String name) {
      SipRequest.Builder builder = options().removeHeaders(HeaderName.of(name));
      var e = assertThrows(IllegalStateException.class, builder::build);
      assertTrue(e.toString().contains(name));
    }

    @Test
    void needTheCSeqOfTheirMethod() {
      assertThrows(IllegalStateException.class, options().method(Method.BYE)::build);
      assertEquals(Method.BYE, options().method(Method.BYE).cSeq(4).build().method());
    }
  }

  @Nested
  @DisplayName("responses (RFC 3261 8.2.6)")
  class Responses {
    @Test
    void repeatWhatTheRequestHad() {
      assertEquals(
          """
          SIP/2.0 180 Ringing
          v: SIP/2.0/UDP p1;branch=z9hG4bK1 , SIP/2.0/TCP
           p2 ; branch = z9hG4bK2
          Via: SIP/2.0/UDP pc;branch=z9hG4bK3;rport
          f: "A" <sip:a@x>;tag=1
          To: sip:b@x;tag=t
          i: id@x
          CSeq: 9 INVITE
          Record-Route: <sip:p1;lr>
          Content-Length: 0

          """
              .replace("\n", "\r\n"),
          SipResponse.to(INVITE, 180)
              .toTag(new Tag("t"))
              .copy(INVITE, HeaderName.RECORD_ROUTE)
              .build()
              .toString());
    }

    @Test
    void keepATagOfTo() {
      SipResponse first = SipResponse.to(INVITE, 180).toTag(new Tag("t")).build();
      assertEquals(
          Optional.of(new Tag("t")), first.toBuilder().toTag(new Tag("u")).build().toTag());
      assertThrows(IllegalStateException.class, () -> SipResponse.builder(200).toTag(new Tag("t")));
    }

    @Test
    void repeatTheTimestampIn100Only() {
      assertTrue(SipResponse.to(INVITE, 100).build().hasHeader(HeaderName.TIMESTAMP));
      assertFalse(SipResponse.to(INVITE, 180).build().hasHeader(HeaderName.TIMESTAMP));
    }

    @Test
    void haveAPhrase() {
      assertEquals("Busy Here", SipResponse.to(INVITE, 486).build().reason());
      assertEquals("Success", SipResponse.to(INVITE, 299).build().reason());
      assertEquals("Nö", SipResponse.to(INVITE, 603).reason("Nö").build().reason());
      assertEquals("", SipResponse.to(INVITE, 603).reason("").build().reason());
      assertEquals(
          "OK", SipResponse.to(INVITE, 486).build().toBuilder().status(200).build().reason());
      assertThrows(
          IllegalArgumentException.class, () -> SipResponse.to(INVITE, 603).reason("a\r\nb: c"));
      assertThrows(IllegalArgumentException.class, () -> SipResponse.to(INVITE, 700));
      assertThrows(IllegalArgumentException.class, () -> SipResponse.builder(99));
    }
  }

  @Nested
  class FromAMessage {
    @Test
    void keepsFieldsOctetByOctet() {
      SipRequest same = INVITE.toBuilder().build();
      List<HeaderField> kept =
          same.headerFields().stream().filter(f -> !f.name().startsWith("Ma")).toList();
      for (int i = 0; i < INVITE.headerFields().size(); i++) {
        HeaderField field = INVITE.headerFields().get(i);
        assertEquals(
            field.name().equals("l") ? "Content-Length" : field.name(), kept.get(i).name());
        assertEquals(field.value(), kept.get(i).value());
      }
      assertArrayEquals(INVITE.body(), same.body());
      assertEquals(3, same.vias().size());
    }

    @Test
    void buildsTheOtherLeg() {
      SipRequest other =
          SipRequest.builder(Method.INVITE, SipUri.of("bob", "192.0.2.2"))
              .via(VIA)
              .from(FROM)
              .to(TO)
              .callId(new CallId("other"))
              .cSeq(1)
              .copyUnknown(INVITE)
              .copy(INVITE, HeaderName.CONTENT_TYPE)
              .body("application/sdp", INVITE.body())
              .build();
      assertEquals(List.of(VIA), other.vias());
      assertEquals(List.of("as it came"), other.headers(HeaderName.of("x-one")));
      assertEquals("as it\r\n  came", other.headerFields().get(5).value(), "copied octet by octet");
      assertEquals(1, other.headers(HeaderName.CONTENT_TYPE).size());
      assertFalse(other.hasHeader(HeaderName.RECORD_ROUTE));
      assertFalse(other.toString().contains("id@x"));
    }

    @Test
    void changesTheTopmostViaAlone() {
      SipRequest completed =
          INVITE.toBuilder()
              .replaceTopVia(INVITE.topVia().withReceived(IpAddress.of("192.0.2.7")))
              .build();
      assertEquals(3, completed.vias().size());
      assertEquals(Optional.of(IpAddress.of("192.0.2.7")), completed.topVia().received());
      assertEquals(INVITE.vias().subList(1, 3), completed.vias().subList(1, 3), "those below stay");
      assertEquals(INVITE.vias().get(1), INVITE.toBuilder().removeTopVia().build().topVia());
      SipRequest last = INVITE.toBuilder().removeTopVia().removeTopVia().build();
      assertEquals(List.of(INVITE.vias().get(2)), last.vias());
      assertEquals(VIA, last.toBuilder().prependVia(VIA).build().topVia());
      assertEquals(
          "Via", last.toBuilder().prependVia(VIA).build().headerFields().getFirst().name());
    }

    @Test
    void replacesAllFieldsOfANameWithOne() {
      SipRequest request = options().addHeader(HeaderName.of("X-Z"), "1").build();
      SipRequest two = request.toBuilder().addHeader(HeaderName.of("x-z"), "2").build();
      assertEquals(List.of("1", "2"), two.headers(HeaderName.of("X-Z")));
      SipRequest one = two.toBuilder().header(HeaderName.of("X-Z"), "3").build();
      assertEquals(List.of("3"), one.headers(HeaderName.of("X-Z")));
      assertFalse(
          one.toBuilder()
              .removeHeaders(HeaderName.of("x-z"))
              .build()
              .hasHeader(HeaderName.of("X-Z")));
      assertEquals(2, two.headers(HeaderName.of("X-Z")).size(), "the source is as it was");
    }

    @Test
    void setsRoutes() {
      List<NameAddr> routes = List.of(TO, NameAddr.of(SipUri.of("r")));
      SipRequest request = options().route(FROM.withoutTag()).routes(routes).build();
      assertEquals(routes, request.routes());
      assertEquals(List.of(), request.toBuilder().routes(List.of()).build().routes());
    }

    @Test
    void removesTheBodyAndWhatDescribesIt() {
      SipRequest bare = INVITE.toBuilder().noBody().build();
      assertFalse(bare.hasBody());
      assertFalse(bare.hasHeader(HeaderName.CONTENT_TYPE));
      assertEquals(OptionalInt.of(0), bare.contentLength());
    }
  }

  @Nested
  @DisplayName("refuses to write what would be read as something else")
  class Injection {
    @ParameterizedTest
    @ValueSource(strings = {"a\r\nX: y", "a\nb", "a\rb", "a\0b", "a\u007fb", "\u0001"})
    void inAnyHeader(String value) {
      assertThrows(
          IllegalArgumentException.class, () -> options().header(HeaderName.SUBJECT, value));
      assertThrows(
          IllegalArgumentException.class, () -> options().addHeader(HeaderName.of("X-Y"), value));
    }

    @Test
    void inTypedHeaders() {
      assertThrows(
          IllegalArgumentException.class, () -> options().header(HeaderName.FROM, "<sip:a"));
      assertThrows(
          IllegalArgumentException.class, () -> options().header(HeaderName.CSEQ, "x INVITE"));
      assertThrows(
          IllegalArgumentException.class, () -> options().header(HeaderName.MAX_FORWARDS, "256"));
      assertThrows(IllegalArgumentException.class, () -> options().addHeader(HeaderName.VIA, "x"));
      assertThrows(IllegalArgumentException.class, () -> options().body("nothing", new byte[0]));
    }

    @Test
    void leavesTheBuilderUsable() {
      SipRequest.Builder builder = options();
      assertThrows(IllegalArgumentException.class, () -> builder.header(HeaderName.FROM, "<sip:a"));
      assertEquals(options().build(), builder.build());
    }

    @Test
    void keepsOneContentLength() {
      SipRequest request =
          options()
              .header(HeaderName.CONTENT_LENGTH, "99")
              .addHeader(HeaderName.CONTENT_LENGTH, "98")
              .build();
      assertEquals(List.of("0"), request.headers(HeaderName.CONTENT_LENGTH));
    }
  }
}
