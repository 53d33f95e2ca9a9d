package io.sippbx.control.registrar.binding;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.net.Endpoint;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReachTest {

  private static final Endpoint LOCAL = Endpoint.of("198.51.100.1", 5060);

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    // what, contact, sent-by, transport, source, reach
    "plain phone, sip:b@192.0.2.9:5060, 192.0.2.9:5060, UDP, 192.0.2.9, CONTACT",
    "other port, sip:b@192.0.2.9:5090, 192.0.2.9:40000, UDP, 192.0.2.9, CONTACT",
    "behind a NAT, sip:b@10.0.0.5:5060, 10.0.0.5:5060, UDP, 192.0.2.9, FLOW",
    "NAT with STUN, sip:b@192.0.2.9:1234, 10.0.0.5:5060, UDP, 192.0.2.9, FLOW",
    "NAT for another, sip:b@10.0.0.6:5060, 10.0.0.5:5060, UDP, 192.0.2.9, CONTACT",
    "third party, sip:gw@10.0.0.5:5060, 192.0.2.9:5060, UDP, 192.0.2.9, CONTACT",
    "names, sip:b@host.example, host.example, UDP, 192.0.2.9, CONTACT",
    "name in Via, sip:b@192.0.2.9, host.example, UDP, 192.0.2.9, CONTACT",
    "IPv6 NAT, sip:b@[fd00::5], [fd00::5]:5060, UDP, 2001:db8::9, FLOW",
    "IPv6, sip:b@[2001:DB8::9]:5060, [2001:db8:0::9]:5060, UDP, 2001:db8::9, CONTACT",
    "TCP kept open, sip:b@192.0.2.9:5060;transport=tcp, 192.0.2.9:5060, TCP, 192.0.2.9, FLOW",
    "TCP but UDP contact, sip:b@192.0.2.9:5060, 192.0.2.9:5060, TCP, 192.0.2.9, CONTACT",
    "TCP behind a NAT, sip:b@10.0.0.5;transport=tcp, 10.0.0.5, TCP, 192.0.2.9, FLOW",
    "TLS, sips:b@192.0.2.9:5061, 192.0.2.9, TLS, 192.0.2.9, FLOW",
    "sips over UDP, sips:b@10.0.0.5, 10.0.0.5, UDP, 192.0.2.9, CONTACT",
    "browser, sip:x@df7jal23ls0d.INVALID;transport=ws, df7jal23ls0d.invalid, WS, 192.0.2.9, FLOW",
    "telephone, tel:+12015550123, 10.0.0.5, UDP, 192.0.2.9, CONTACT",
  })
  void isDecidedByWhatWasSeen(
      String what,
      String contact,
      String sentBy,
      TransportProtocol transport,
      String source,
      Reach reach) {
    assertThat(reach(contact, List.of(sentBy), transport, source)).as(what).isEqualTo(reach);
  }

  @Test
  void isNeverTheFlowOfAProxy() {
    assertThat(
            reach(
                "sip:b@10.0.0.5",
                List.of("10.0.0.1", "10.0.0.5"),
                TransportProtocol.UDP,
                "192.0.2.9"))
        .isEqualTo(Reach.CONTACT);
  }

  @Test
  void isThePathWhereThereIsOne() {
    assertThat(
            Reach.of(
                Uri.of("sip:b@10.0.0.5"),
                List.of(NameAddr.of(Uri.of("sip:edge.example;lr"))),
                List.of(via("10.0.0.5", TransportProtocol.UDP)),
                Flow.udp(LOCAL, Endpoint.of("192.0.2.9", 5060))))
        .isEqualTo(Reach.PATH);
  }

  private static Reach reach(
      String contact, List<String> sentBys, TransportProtocol transport, String source) {
    var vias = new ArrayList<Via>();
    sentBys.forEach(sentBy -> vias.add(via(sentBy, transport)));
    return Reach.of(
        Uri.of(contact),
        List.of(),
        vias,
        transport == TransportProtocol.UDP
            ? Flow.udp(LOCAL, Endpoint.of(source, 33_333))
            : Flow.accepted(transport, LOCAL, Endpoint.of(source, 33_333), 7));
  }

  private static Via via(String sentBy, TransportProtocol transport) {
    return Via.parse("SIP/2.0/" + transport + " " + sentBy + ";branch=z9hG4bK1").orElseThrow();
  }
}
