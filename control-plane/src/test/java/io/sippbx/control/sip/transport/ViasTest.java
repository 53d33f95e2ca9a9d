package io.sippbx.control.sip.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.message.Via;
import io.sippbx.shared.net.Endpoint;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ViasTest {

  private static Endpoint endpoint(String text) {
    int colon = text.lastIndexOf(':');
    String ip = text.substring(0, colon).replace("[", "").replace("]", "");
    return Endpoint.of(ip, Integer.parseInt(text.substring(colon + 1)));
  }

  @DisplayName("RFC 3261 18.2.1 and RFC 3581 4: what the topmost Via becomes")
  @ParameterizedTest
  @CsvSource({
    // as it is
    "192.0.2.1, 192.0.2.1:5060, 192.0.2.1",
    "192.0.2.1:5070;branch=z9hG4bKa, 192.0.2.1:5060, 192.0.2.1:5070;branch=z9hG4bKa",
    "[2001:db8::1], [2001:db8::1]:5060, [2001:db8::1]",
    "[2001:DB8:0::1], [2001:db8::1]:5060, [2001:DB8:0::1]",
    // a name, another address
    "phone.example, 192.0.2.1:5060, phone.example;received=192.0.2.1",
    "10.0.0.1, 192.0.2.1:5060, 10.0.0.1;received=192.0.2.1",
    "10.0.0.1, [2001:db8::1]:5060, 10.0.0.1;received=2001:db8::1",
    // rport asked for, also where received would not be needed
    "192.0.2.1;rport, 192.0.2.1:4711, 192.0.2.1;rport=4711;received=192.0.2.1",
    "10.0.0.1;rport;branch=z9hG4bKa, 192.0.2.1:4711,"
        + " 10.0.0.1;rport=4711;branch=z9hG4bKa;received=192.0.2.1",
    // what the sender claims is replaced
    "192.0.2.1;received=203.0.113.1, 192.0.2.1:5060, 192.0.2.1;received=192.0.2.1",
    "10.0.0.1;received=203.0.113.1;rport=99, 192.0.2.1:4711,"
        + " 10.0.0.1;received=192.0.2.1;rport=4711",
  })
  void completesTheTopmostVia(String given, String source, String expected) {
    Via via = Via.parse("SIP/2.0/UDP " + given).orElseThrow();
    assertThat(Vias.completed(via, endpoint(source))).hasToString("SIP/2.0/UDP " + expected);
  }

  @DisplayName("RFC 3261 18.2.2 and RFC 3581 4: where a response goes")
  @ParameterizedTest
  @CsvSource({
    // given, source, answer over UDP, new connection over TCP
    "10.0.0.1:5070;rport, 192.0.2.1:4711, 192.0.2.1:4711, 192.0.2.1:5070",
    "10.0.0.1:5070;rport=1;received=203.0.113.1, 192.0.2.1:4711, 192.0.2.1:4711, 192.0.2.1:5070",
    "10.0.0.1:5070, 192.0.2.1:4711, 192.0.2.1:5070, 192.0.2.1:5070",
    "phone.example, 192.0.2.1:4711, 192.0.2.1:5060, 192.0.2.1:5060",
    "[2001:db8::5], [2001:db8::9]:4711, [2001:db8::9]:5060, [2001:db8::9]:5060",
    // maddr: one host only, of the family, and never our own loopback for others
    "10.0.0.1:5070;maddr=192.0.2.7, 192.0.2.1:4711, 192.0.2.7:5070, 192.0.2.1:5070",
    "10.0.0.1:5070;maddr=192.0.2.7;rport, 192.0.2.1:4711, 192.0.2.1:4711, 192.0.2.1:5070",
    "10.0.0.1;maddr=224.0.1.75, 192.0.2.1:4711, 192.0.2.1:5060, 192.0.2.1:5060",
    "10.0.0.1;maddr=0.0.0.0, 192.0.2.1:4711, 192.0.2.1:5060, 192.0.2.1:5060",
    "10.0.0.1;maddr=127.0.0.1, 192.0.2.1:4711, 192.0.2.1:5060, 192.0.2.1:5060",
    "10.0.0.1;maddr=127.0.0.2, 127.0.0.1:4711, 127.0.0.2:5060, 127.0.0.1:5060",
    "10.0.0.1;maddr=other.example, 192.0.2.1:4711, 192.0.2.1:5060, 192.0.2.1:5060",
    "10.0.0.1;maddr=[ff02::1], 192.0.2.1:4711, 192.0.2.1:5060, 192.0.2.1:5060",
  })
  void findsTheWayBack(String given, String source, String overUdp, String overTcp) {
    Via via = Via.parse("SIP/2.0/UDP " + given).orElseThrow();
    assertThat(Vias.answerTo(via, endpoint(source))).isEqualTo(endpoint(overUdp));
    assertThat(Vias.reconnectTo(via, endpoint(source))).isEqualTo(endpoint(overTcp));
  }
}
