package io.sippbx.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.Listener;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("addresses of two nodes")
class AddressClaimTest {

  private static final NodeId OTHER = new NodeId("other");

  private static AddressClaim claim(boolean shared, String... ips) {
    return AddressClaim.of(
        shared,
        List.of(ips).stream()
            .map(
                ip ->
                    new Listener(
                        TransportProtocol.UDP,
                        Endpoint.of(ip.contains(":") ? "::" : "0.0.0.0", 5060),
                        Optional.of(Endpoint.of(ip, 5060))))
            .toList());
  }

  @Test
  void areReadAsTheyWereTold() {
    AddressClaim both = claim(true, "2001:db8::1", "192.0.2.1");
    assertThat(both.text()).isEqualTo("shared udp=192.0.2.1:5060 udp=[2001:db8::1]:5060");
    assertThat(AddressClaim.parse(both.text())).contains(both);
    assertThat(both.endpoints())
        .containsExactly(Endpoint.of("192.0.2.1", 5060), Endpoint.of("2001:db8::1", 5060));
    assertThat(AddressClaim.parse(claim(false).text())).contains(claim(false));
    assertThat(AddressClaim.parse("")).isEmpty();
    assertThat(AddressClaim.parse("of-a-later-version x")).isEmpty();
  }

  @Test
  void areCutWhereThereAreTooMany() {
    AddressClaim many =
        new AddressClaim(
            false, IntStream.range(0, 500).mapToObj(i -> "udp=192.0.2.1:" + i).toList());
    assertThat(many.text().length()).isLessThanOrEqualTo(Announced.MAX_SIP);
    assertThat(AddressClaim.parse(many.text()).orElseThrow().addresses().size()).isGreaterThan(40);
  }

  @Test
  void areTheSameWhereTheyAreShared() {
    AddressClaim ours = claim(true, "192.0.2.1");
    assertThat(ours.conflict(OTHER, claim(true, "192.0.2.1"))).isEmpty();
    assertThat(ours.conflict(OTHER, claim(true, "192.0.2.2")).orElseThrow())
        .contains("sip.address_mode = shared", "other", "udp=192.0.2.1:5060", "udp=192.0.2.2:5060");
  }

  @Test
  void areNoOthersWhereTheyAreANodes() {
    AddressClaim ours = claim(false, "192.0.2.1", "192.0.2.3");
    assertThat(ours.conflict(OTHER, claim(false, "192.0.2.2"))).isEmpty();
    assertThat(ours.conflict(OTHER, claim(false, "192.0.2.3")).orElseThrow())
        .contains("sip.address_mode = node", "other advertises udp=192.0.2.3:5060 too");
  }

  @Test
  void areOfOneKindInACluster() {
    assertThat(claim(true, "192.0.2.1").conflict(OTHER, claim(false, "192.0.2.1")).orElseThrow())
        .isEqualTo(
            "sip.address_mode = shared: expected the same on all nodes of the cluster, but other"
                + " has node");
  }
}
