package io.sippbx.control.sip.message;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HeaderValuesTest {

  private static NameAddr nameAddr(String text) {
    return NameAddr.parse(text).orElseThrow();
  }

  private static Via via(String text) {
    return Via.parse(text).orElseThrow();
  }

  @Nested
  @DisplayName("name-addr (RFC 3261 20.10)")
  class NameAddrs {
    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        quoteCharacter = '`',
        value = {
          "sip:a@b;tag=1 | - | sip:a@b | ;tag=1",
          "<sip:a@b;x=1>;tag=1 | - | sip:a@b;x=1 | ;tag=1",
          "Bob <sip:a@b> | Bob | sip:a@b | ``",
          "Bob B. Smith<sip:a@b> | Bob B. Smith | sip:a@b | ``",
          "\"Bob, \\\"B\\\" \\\\\" <sip:a@b> | Bob, \"B\" \\ | sip:a@b | ``",
          "\"\" <sip:a@b> | `` | sip:a@b | ``",
          "Jos\u00e9 <sip:a@b> | Jos\u00e9 | sip:a@b | ``",
          "\"<sip:x@y>\" <sip:a@b> | <sip:x@y> | sip:a@b | ``",
          "<tel:+1;phone-context=x> ; a = b ; c | - | tel:+1;phone-context=x | ;a=b;c",
          "<sip:a@b>;+sip.instance=\"<urn:uuid:1>\" | - | sip:a@b | ;+sip.instance=\"<urn:uuid:1>\"",
        })
    void reads(String text, String display, String uri, String params) {
      NameAddr value = nameAddr(text);
      assertEquals(
          display.equals("-") ? Optional.empty() : Optional.of(display), value.displayName());
      assertEquals(uri, value.uri().toString());
      assertEquals(params, value.params().toString());
      assertEquals(Optional.of(value), NameAddr.parse(value.toString()));
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "",
          "<>",
          "Bob",
          "<sip:a@b",
          "sip:a@b>",
          "\"Bob <sip:a@b>",
          "Bob, B <sip:a@b>",
          "< sip:a@b>",
          "<sip:a@b >",
          "sip:a@b?x=1",
          "<sip:a@b>;",
          "<sip:a@b>;;x",
          "<sip:a@b>;x=",
          "<sip:a@b>;x=\"y",
          "<sip:a@b> x",
          "<sip:a@b>, <sip:c@d>",
          "sip:a@b c",
          "<sip:a@b>;=x",
          "Bob\r\nX: y <sip:a@b>",
        })
    void refuses(String text) {
      assertEquals(Optional.empty(), NameAddr.parse(text));
    }

    @Test
    void writesADisplayNameSafely() {
      NameAddr value = NameAddr.of("a\"b\\\r\nVia: x", SipUri.of("c", "d"));
      assertEquals("\"a\\\"b\\\\Via: x\" <sip:c@d>", value.toString());
    }

    @ParameterizedTest
    @CsvSource({
      "1,1000",
      "0,0",
      "0.5,500",
      "0.333,333",
      "1.0,1000",
      "1.5,1000",
      "x,1000",
      "0.1234,1000",
      "0.,0",
      "-1,1000",
      "0x5,1000"
    })
    void readsQ(String q, int thousandths) {
      assertEquals(thousandths, nameAddr("<sip:a@b>;q=" + q).qThousandths());
      assertEquals(thousandths / 1000.0, nameAddr("<sip:a@b>;q=" + q).q());
    }

    @Test
    void readsExpires() {
      assertEquals(OptionalLong.empty(), nameAddr("<sip:a@b>").expires());
      assertEquals(OptionalLong.of(60), nameAddr("<sip:a@b>;expires=60").expires());
      assertEquals(OptionalLong.of(60), nameAddr("<sip:a@b>;Expires=\"60\"").expires());
      assertEquals(OptionalLong.of(3600), nameAddr("<sip:a@b>;expires=soon").expires());
      assertEquals(
          OptionalLong.of(0xffff_ffffL), nameAddr("<sip:a@b>;expires=280297596632815").expires());
    }

    @Test
    void changesTheTag() {
      NameAddr value = nameAddr("\"B\" <sip:a@b>;x=1;tag=old");
      assertEquals(Optional.of(new Tag("old")), value.tag());
      assertEquals("\"B\" <sip:a@b>;x=1;tag=new", value.withTag(new Tag("new")).toString());
      assertEquals("\"B\" <sip:a@b>;x=1", value.withoutTag().toString());
      assertEquals(Optional.empty(), nameAddr("<sip:a@b>;tag").tag());
      assertEquals(Optional.empty(), nameAddr("<sip:a@b>;tag=\"a b\"").tag());
    }
  }

  @Nested
  @DisplayName("Via (RFC 3261 20.42, RFC 3581)")
  class Vias {
    @Test
    void readsAll() {
      Via value =
          via(
              "SIP / 2.0 / UDP  [2001:db8::1] : 5070 ; branch = z9hG4bK1 ;rport=4;received=1.2.3.4"
                  + ";maddr=m;ttl=16");
      assertEquals("UDP", value.transport());
      assertEquals(Optional.of(TransportProtocol.UDP), value.protocol());
      assertEquals("[2001:db8::1]:5070", value.sentBy());
      assertEquals(Optional.of(IpAddress.of("2001:db8::1")), value.hostIp());
      assertEquals(Optional.of(new Branch("z9hG4bK1")), value.branch());
      assertEquals(OptionalInt.of(4), value.rport());
      assertEquals(Optional.of(IpAddress.of("1.2.3.4")), value.received());
      assertEquals(Optional.of("m"), value.maddr());
      assertEquals(OptionalInt.of(16), value.ttl());
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "",
          "SIP/2.0/UDP",
          "SIP/2.0 h",
          "SIP/2.0/UDP h:",
          "SIP/2.0/UDP h:0",
          "SIP/2.0/UDP h:65536",
          "SIP/2.0/UDP h;",
          "SIP/2.0/UDP h;;a",
          "SIP/2.0/UDP h;a=",
          "SIP/2.0/UDP 2001:db8::1",
          "SIP/2.0/UDP [::1",
          "SIP/2.0/UDP h x",
          "SIP/2.0/UDP h, SIP/2.0/UDP i",
          "SIP/2.0/UDP;x",
        })
    void refuses(String text) {
      assertEquals(Optional.empty(), Via.parse(text));
    }

    @Test
    void isCompletedWithWhereTheRequestCameFrom() {
      Via value = via("SIP/2.0/UDP pc:5070;rport;branch=z9hG4bK1");
      assertTrue(value.wantsRport());
      assertEquals(OptionalInt.empty(), value.rport());
      assertEquals(
          "SIP/2.0/UDP pc:5070;rport=9;branch=z9hG4bK1;received=2001:db8::5",
          value.withReceived(IpAddress.of("2001:db8::5")).withRport(9).toString());
    }

    @Test
    void defaultsThePort() {
      assertEquals(5060, via("SIP/2.0/UDP h").effectivePort());
      assertEquals(5061, via("SIP/2.0/TLS h").effectivePort());
      assertEquals(443, via("SIP/2.0/WSS h").effectivePort());
      assertEquals(5060, via("SIP/2.0/XYZ h").effectivePort());
      assertEquals(7, via("SIP/2.0/TLS h:7").effectivePort());
    }

    @Test
    void isMadeOfAnEndpoint() {
      assertEquals(
          "SIP/2.0/TCP [2001:db8::1]:5060;branch=z9hG4bKx",
          Via.of(TransportProtocol.TCP, Endpoint.of("2001:db8::1", 5060), new Branch("z9hG4bKx"))
              .toString());
    }

    @ParameterizedTest
    @CsvSource({"z9hG4bKx,true", "Z9HG4BKx,true", "z9hG4bK,false", "1,false", "xz9hG4bK1,false"})
    void knowsTheCookie(String branch, boolean rfc3261) {
      assertEquals(rfc3261, new Branch(branch).isRfc3261());
    }
  }

  @Nested
  class Names {
    @Test
    void areEqualInAnyCaseAndForm() {
      assertSame(HeaderName.CALL_ID, HeaderName.of("call-id"));
      assertSame(HeaderName.CALL_ID, HeaderName.of("I"));
      assertSame(HeaderName.SESSION_EXPIRES, HeaderName.of("x"));
      assertEquals("i", HeaderName.CALL_ID.compactText());
      assertEquals(HeaderName.of("X-Foo"), HeaderName.of("x-foo"));
      assertEquals(HeaderName.of("X-Foo").hashCode(), HeaderName.of("x-foo").hashCode());
      assertNotEquals(HeaderName.of("X-Foo"), HeaderName.of("X-Fooo"));
      assertNotEquals(HeaderName.of("X-Foo"), HeaderName.VIA);
      assertFalse(HeaderName.of("X-Foo").isKnown());
      assertFalse(HeaderName.of("q").isKnown());
      assertThrows(IllegalArgumentException.class, () -> HeaderName.of("a b"));
      assertThrows(IllegalArgumentException.class, () -> HeaderName.of(""));
    }

    @Test
    void areFoundByEveryKnownSpelling() {
      for (int id = 0; id < 96; id++) {
        HeaderName name;
        try {
          name = HeaderName.ofId(id);
        } catch (IllegalArgumentException e) {
          assertTrue(id > 60, "ids have no holes");
          break;
        }
        assertSame(name, HeaderName.of(name.text()));
        assertSame(name, HeaderName.of(name.text().toUpperCase(java.util.Locale.ROOT)));
        assertSame(name, HeaderName.of(name.compactText()));
      }
    }
  }

  @Nested
  class Words {
    @Test
    void areChecked() {
      assertThrows(IllegalArgumentException.class, () -> new Tag("a;b"));
      assertThrows(IllegalArgumentException.class, () -> new Tag(""));
      assertThrows(IllegalArgumentException.class, () -> new Branch("a\r\n"));
      assertThrows(IllegalArgumentException.class, () -> new CallId("a b"));
      assertThrows(IllegalArgumentException.class, () -> new Method("A B"));
      assertThrows(IllegalArgumentException.class, () -> new CSeq(1L << 31, Method.BYE));
      assertThrows(IllegalArgumentException.class, () -> new CSeq(-1, Method.BYE));
      assertThrows(IllegalArgumentException.class, () -> new SipLimits(1, 1, 1, 1, 1, 1, 0));
      assertTrue(Method.INVITE.isKnown());
      assertFalse(new Method("invite").isKnown());
    }

    @Test
    void parametersAreFoundInAnyCase() {
      Params params = Params.EMPTY.with("A", "1").withFlag("b").withQuoted("c", "x \"y\"");
      assertEquals(";A=1;b;c=\"x \\\"y\\\"\"", params.toString());
      assertEquals(Optional.of("1"), params.get("a"));
      assertEquals(Optional.of("x \"y\""), params.get("C"));
      assertTrue(params.has("B"));
      assertEquals(Optional.empty(), params.get("B"));
      assertEquals(";a=2;b;c=\"x \\\"y\\\"\"", params.with("a", "2").toString());
      assertEquals(";A=1;c=\"x \\\"y\\\"\"", params.without("B").toString());
      assertEquals(params, params.with("a", "1"));
      assertEquals(params.hashCode(), params.with("a", "1").hashCode());
      assertThrows(IllegalArgumentException.class, () -> params.with("d", "x;y"));
      assertThrows(IllegalArgumentException.class, () -> params.with("d", "\"a\" b"));
      assertThrows(IllegalArgumentException.class, () -> params.with("d", "a\r\nb"));
      assertThrows(IllegalArgumentException.class, () -> params.with("", "a"));
    }
  }
}
