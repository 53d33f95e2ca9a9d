package io.sippbx.media.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AddressBitsTest {

  @ParameterizedTest
  @CsvSource({
    "0.0.0.0, true, true",
    "127.0.0.1, true, false",
    "255.255.255.255, true, false",
    "192.0.2.1, true, false",
    "::, false, true",
    "::1, false, false",
    "::7f00:1, false, false",
    "2001:db8::ffff:c000:201, false, false",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff, false, false",
  })
  void keepAddressesAsTheyAre(String literal, boolean isV4, boolean isUnspecified) {
    IpAddress ip = IpAddress.of(literal);
    long high = AddressBits.high(ip);
    long low = AddressBits.low(ip);
    assertThat(AddressBits.isV4(high, low)).isEqualTo(isV4);
    assertThat(AddressBits.isUnspecified(high, low)).isEqualTo(isUnspecified);
    assertThat(AddressBits.endpoint(high, low, 5_004)).isEqualTo(new Endpoint(ip, 5_004));
    assertThat(AddressBits.octets(high, low)).isEqualTo(ip.octets());
  }
}
