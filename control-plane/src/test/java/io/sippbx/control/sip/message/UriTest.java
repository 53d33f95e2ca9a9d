package io.sippbx.control.sip.message;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UriTest {

  @Nested
  @DisplayName("comparison (RFC 3261 19.1.4)")
  class Comparison {
    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "sip:%61lice@atlanta.com;transport=TCP | sip:alice@AtlanTa.CoM;Transport=tcp",
          "sip:carol@chicago.com | sip:carol@chicago.com;newparam=5",
          "sip:carol@chicago.com | sip:carol@chicago.com;security=on",
          "sip:carol@chicago.com;newparam=5 | sip:carol@chicago.com;security=on",
          "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com"
              + " | sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
          "sip:alice@atlanta.com?subject=project%20x&priority=urgent"
              + " | sip:alice@atlanta.com?priority=urgent&subject=project%20x",
          "sip:a%40b@h.com | sip:a%40b@H.COM",
          "sip:a%3b@h.com | sip:a%3B@h.com",
          "sip:*21%23@h.com | sip:*21#@h.com",
          "sip:[2001:db8::1] | sip:[2001:DB8:0:0::1]",
          "sips:a@h | SIPS:a@h",
          "sip:a@h;x=1;x=2 | sip:a@h;x=1;x=3",
          "sip:a@h?x=1&x=2 | sip:a@h?x=2&x=1",
          "tel:+1-201-555-0123 | tel:+12015550123",
          "tel:7042;phone-context=example.com | tel:70-42;Phone-Context=EXAMPLE.com",
          "tel:*ab;a=1;b=2 | tel:*AB;b=2;a=1",
          "urn:service:sos | URN:service:sos",
        })
    void isEquivalent(String a, String b) {
      assertTrue(Uri.of(a).equivalent(Uri.of(b)));
      assertTrue(Uri.of(b).equivalent(Uri.of(a)));
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "SIP:ALICE@AtlanTa.CoM;Transport=udp | sip:alice@AtlanTa.CoM;Transport=UDP",
          "sip:bob@biloxi.com | sip:bob@biloxi.com:5060",
          "sip:bob@biloxi.com | sip:bob@biloxi.com;transport=udp",
          "sip:bob@biloxi.com | sip:bob@biloxi.com:6000;transport=tcp",
          "sip:carol@chicago.com | sip:carol@chicago.com?Subject=next%20meeting",
          "sip:bob@phone21.boxesbybob.com | sip:bob@192.0.2.4",
          "sip:a@h | sips:a@h",
          "sip:a@h | sip:h",
          "sip:a:secret@h | sip:a@h",
          "sip:a:secret@h | sip:a:Secret@h",
          "sip:a@h;user=phone | sip:a@h",
          "sip:a@h | sip:a@h;ttl=1",
          "sip:a@h;maddr=x | sip:a@h;maddr=y",
          "sip:a@h;x=1 | sip:a@h;x=2",
          "sip:a@h?x=1 | sip:a@h?x=2",
          "sip:a%3Bb@h | sip:a;b@h",
          "sip:[2001:db8::1] | sip:[2001:db8::2]",
          "tel:+12015550123 | tel:12015550123",
          "tel:7042;phone-context=a.com | tel:7042;phone-context=b.com",
          "tel:7042;a=1;a=1 | tel:7042;a=1;a=2",
          "tel:7042 | sip:7042@h",
          "urn:service:sos | urn:service:SOS",
        })
    void isNotEquivalent(String a, String b) {
      assertFalse(Uri.of(a).equivalent(Uri.of(b)));
      assertFalse(Uri.of(b).equivalent(Uri.of(a)));
    }
  }

  @Nested
  @DisplayName("parts (RFC 3261 19.1.1)")
  class Parts {
    @Test
    void readsAll() {
      var uri =
          (SipUri)
              Uri.of("sips:al%69ce;x=1:pw&1@[2001:db8::1]:5071;transport=tls;lr?Subject=a%20b&P=");
      assertTrue(uri.secure());
      assertEquals(Optional.of("al%69ce;x=1"), uri.user());
      assertEquals(Optional.of("alice;x=1"), uri.userText());
      assertEquals(Optional.of("pw&1"), uri.password());
      assertEquals("[2001:db8::1]", uri.host());
      assertEquals(Optional.of(IpAddress.of("2001:db8::1")), uri.hostIp());
      assertEquals(OptionalInt.of(5071), uri.port());
      assertEquals(Optional.of(TransportProtocol.TLS), uri.transport());
      assertTrue(uri.isLooseRouter());
      assertEquals(Optional.of("a%20b"), uri.headers().get("subject"));
      assertEquals(Optional.of(""), uri.headers().get("P"));
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "sip:a@b",
          "sip:a:@b",
          "sip:b",
          "sip:b:65535",
          "sip:b;x",
          "sip:b?x=",
          "sip:1.2.3.4",
          "sip:[::1]:1",
          "sip:a_b.local",
          "sip:+1-2(3)@b;user=phone",
          "tel:+1-2.(3)",
          "tel:*#1;phone-context=+1",
          "http://x/y?z",
          "sip:a%00b@c",
        })
    void writesWhatItRead(String text) {
      assertEquals(text, Uri.of(text).toString());
      assertEquals(Uri.of(text), Uri.of(Uri.of(text).toString()));
      assertEquals(Uri.of(text).hashCode(), Uri.of(Uri.of(text).toString()).hashCode());
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "",
          "sip",
          "sip:",
          ":a",
          "1sip:a",
          "sip:@b",
          "sip:a@",
          "sip:a@b@c",
          "sip:a b@c",
          "sip:a@b:0",
          "sip:a@b:65536",
          "sip:a@b:",
          "sip:a@b:x",
          "sip:a@2001:db8::1",
          "sip:a@[2001:db8::1",
          "sip:a@[2001:db8::g]",
          "sip:a@[1::2::3]",
          "sip:a@[1:2]",
          "sip:a@[1.2.3.4]",
          "sip:a@b;",
          "sip:a@b;;x",
          "sip:a@b;=1",
          "sip:a@b;x=",
          "sip:a@b?",
          "sip:a@b?x",
          "sip:a@b?x=1&",
          "sip:a%4@b",
          "sip:a%zz@b",
          "sip:a@b%41",
          "sip:\"a\"@b",
          "sip:a<b>@c",
          "sip:a@b>",
          "sip:a@.b",
          "tel:",
          "tel:+",
          "tel:-",
          "tel:+x",
          "tel:1;",
          "http:",
          "http:a b",
          "sip:a\r\n@b",
          "sip:\u00e9@b",
        })
    void refuses(String text) {
      assertEquals(Optional.empty(), Uri.parse(text));
      assertThrows(IllegalArgumentException.class, () -> Uri.of(text));
    }

    @Test
    void refusesMoreParametersThanALookUpCanBear() {
      assertTrue(Uri.parse("sip:a@b" + ";p".repeat(64)).isPresent());
      assertTrue(Uri.parse("sip:a@b" + ";p".repeat(65)).isEmpty());
      assertTrue(Uri.parse("tel:1" + ";p".repeat(65)).isEmpty());
      assertTrue(Uri.parse("sip:a@b?a=1" + "&p=1".repeat(65)).isEmpty());
    }

    @Test
    void bearsThreeColonsBeforeAnIpv4PartOnly() {
      var expected = Optional.of(IpAddress.of("2001:db8::192.0.2.1"));
      assertEquals(expected, ((SipUri) Uri.of("sip:a@[2001:db8:::192.0.2.1]")).hostIp());
      assertEquals(
          Optional.of(IpAddress.of("::192.0.2.1")),
          ((SipUri) Uri.of("sip:[:::192.0.2.1]")).hostIp());
      assertTrue(Uri.parse("sip:a@[2001:db8:::10]").isEmpty());
      assertTrue(Uri.parse("sip:a@[2001:db8::::192.0.2.1]").isEmpty());
    }
  }

  @Nested
  class Making {
    @Test
    void escapesTheUser() {
      assertEquals(
          "sip:a%40b%20%C3%A9@example.com", SipUri.of("a@b \u00e9", "example.com").toString());
      assertEquals(Optional.of("a@b \u00e9"), SipUri.of("a@b \u00e9", "example.com").userText());
    }

    @Test
    void writesAnEndpoint() {
      assertEquals(
          "sip:a@[2001:db8::1]:5080", SipUri.of("a", Endpoint.of("2001:db8::1", 5080)).toString());
      assertEquals("sip:192.0.2.1", SipUri.of(Endpoint.of("192.0.2.1", 0)).toString());
    }

    @Test
    void changesParts() {
      var uri = (SipUri) Uri.of("sip:a:p@b:1;x=1?y=2");
      assertEquals("sip:c@b:1;x=1?y=2", uri.withUser("c").toString());
      assertEquals("sip:a:p@d;x=1?y=2", uri.withHost("d").toString());
      assertEquals("sip:a:p@b:2;x=1?y=2", uri.withPort(2).toString());
      assertEquals("sip:a:p@b:1;x=2?y=2", uri.withParam("X", "2").toString().replace(";X", ";x"));
      assertEquals("sip:a:p@b:1?y=2", uri.withParams(Params.EMPTY).toString());
      assertEquals("sips:a:p@b:1;x=1?y=2", uri.withSecure(true).toString());
      assertEquals("sip:a@b:1", uri.bare().toString());
    }

    @Test
    void refusesWhatWouldBeAnotherUri() {
      assertThrows(IllegalArgumentException.class, () -> SipUri.of("a", "b c"));
      assertThrows(IllegalArgumentException.class, () -> SipUri.of("2001:db8::1"));
      assertThrows(IllegalArgumentException.class, () -> SipUri.of("b;x=1"));
      assertThrows(IllegalArgumentException.class, () -> SipUri.of("", "b"));
      assertThrows(IllegalArgumentException.class, () -> SipUri.of("b").withPort(0));
      assertThrows(IllegalArgumentException.class, () -> SipUri.of("b").withParam("x", "a>b"));
      assertThrows(IllegalArgumentException.class, () -> SipUri.of("b").withParam("x", "a;b"));
      assertThrows(IllegalArgumentException.class, () -> SipUri.of("b").withParam("x y", "a"));
      assertThrows(IllegalArgumentException.class, () -> new TelUri("1;x", Params.EMPTY));
      assertThrows(IllegalArgumentException.class, () -> new OtherUri("http", "a\r\nb"));
    }
  }
}
