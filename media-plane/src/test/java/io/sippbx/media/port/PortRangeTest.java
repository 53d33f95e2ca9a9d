package io.sippbx.media.port;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.shared.net.IpAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PortRangeTest {

  @ParameterizedTest
  @CsvSource({
    "10000, 20000, 5000, 10000",
    "10000, 10001, 1, 10000",
    "10001, 10003, 1, 10002",
    "9999, 10001, 1, 10000",
    "1, 65535, 32767, 2"
  })
  void countsEvenPortsThatAreFollowedByOddOnes(int first, int last, int pairs, int firstRtp) {
    var range = new PortRange(first, last);
    assertThat(range.pairs()).isEqualTo(pairs);
    assertThat(range.firstRtpPort()).isEqualTo(firstRtp);
    int held = 0;
    for (int port = 0; port <= 65_536; port++) {
      held += range.holdsPair(port) ? 1 : 0;
    }
    assertThat(held).isEqualTo(pairs);
  }

  @ParameterizedTest
  @CsvSource({"0, 100", "10, 9", "10, 10", "10001, 10002", "60000, 65536", "-5, 5"})
  void refusesWhatHoldsNoPairOrNoPort(int first, int last) {
    assertThatThrownBy(() -> new PortRange(first, last))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(first + "-" + last);
  }

  @Test
  void overlapsWhenOnePortIsInBoth() {
    var range = new PortRange(10_000, 20_000);
    assertThat(range.overlaps(new PortRange(20_000, 30_001))).isTrue();
    assertThat(range.overlaps(new PortRange(20_001, 30_001))).isFalse();
    assertThat(range.overlaps(new PortRange(1_000, 9_999))).isFalse();
    assertThat(range.overlaps(new PortRange(1_000, 60_000))).isTrue();
  }

  @Test
  void localAddressIsOfOneIpVersionAndReachable() {
    assertThatThrownBy(() -> new LocalAddress(IpAddress.of("0.0.0.0"), IpAddress.of("::1")))
        .hasMessageContaining("one IP version");
    assertThatThrownBy(() -> LocalAddress.of(IpAddress.of("0.0.0.0")))
        .hasMessageContaining("sent to");
  }
}
