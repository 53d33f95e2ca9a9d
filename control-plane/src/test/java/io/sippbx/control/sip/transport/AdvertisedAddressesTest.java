package io.sippbx.control.sip.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.shared.net.IpAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AdvertisedAddressesTest {

  private static Optional<IpAddress> choose(boolean v6, String route, String... ofInterfaces) {
    return AdvertisedAddresses.choose(
        v6, IpAddress.parse(route), Arrays.stream(ofInterfaces).map(IpAddress::of).toList());
  }

  @Test
  void takesTheSourceOfTheDefaultRoute() {
    assertThat(choose(false, "192.0.2.5", "127.0.0.1", "10.0.0.1"))
        .contains(IpAddress.of("192.0.2.5"));
  }

  @Test
  void takesAnInterfaceThatOthersCanUseWhereThereIsNoRoute() {
    assertThat(choose(false, "", "127.0.0.1", "169.254.3.4", "10.0.0.1"))
        .contains(IpAddress.of("10.0.0.1"));
    assertThat(choose(true, "0.0.0.0", "10.0.0.1", "::1", "fe80::1", "2001:db8::5"))
        .contains(IpAddress.of("2001:db8::5"));
  }

  @Test
  void takesLoopbackOnAHostWithNothingElse() {
    assertThat(choose(false, "", "127.0.0.1", "::1")).contains(IpAddress.of("127.0.0.1"));
    assertThat(choose(true, "", "127.0.0.1", "::1", "fe80::1")).contains(IpAddress.of("::1"));
  }

  @Test
  void findsNoneOfAFamilyThatIsNotThere() {
    assertThat(choose(true, "", "127.0.0.1", "192.0.2.5")).isEmpty();
  }

  @Test
  void findsOneOnThisHost() {
    IpAddress found = AdvertisedAddresses.find(false).orElseThrow();
    assertThat(List.of(found.isV6(), found.isUnspecified())).containsOnly(false);
  }
}
