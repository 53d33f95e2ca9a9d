package io.sippbx.event.webhook.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.Inet6Address;
import java.net.InetAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReceiverAddressTest {

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, loopback",
    "127.255.0.9, loopback",
    "::1, loopback",
    "10.0.0.1, private",
    "172.16.0.1, private",
    "172.31.255.255, private",
    "192.168.1.1, private",
    "169.254.169.254, link-local",
    "fe80::1, link-local",
    "febf::1, link-local",
    "fc00::1, unique local",
    "fd12:3456::1, unique local",
    "100.64.0.1, shared address space",
    "100.127.255.255, shared address space",
    "224.0.0.1, multicast",
    "ff02::1, multicast",
    "0.0.0.0, reserved",
    "0.1.2.3, reserved",
    "192.0.0.8, reserved",
    "192.0.2.1, reserved",
    "192.88.99.1, reserved",
    "198.18.0.1, reserved",
    "198.19.255.255, reserved",
    "198.51.100.1, reserved",
    "203.0.113.1, reserved",
    "240.0.0.1, reserved",
    "255.255.255.255, reserved",
    "'::', reserved",
    "::5, reserved",
    "fec0::1, reserved",
    "4000::1, reserved",
    "2001::1, reserved",
    "2001:db8::1, reserved",
    "3fff::1, reserved",
    "64:ff9b::7f00:1, loopback",
    "64:ff9b::a00:1, private",
    "64:ff9b:1::1, reserved",
    "2002:7f00:1::1, loopback",
    "2002:c0a8:101::1, private"
  })
  void areNotPublic(String address, String kind) {
    assertThat(ReceiverAddress.notPublic(InetAddress.ofLiteral(address))).contains(kind);
  }

  @Test
  void areNotPublicThoughTheyAreMapped() throws Exception {
    // A JDK that does not make an IPv4 address of it by itself.
    byte[] mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 10, 0, 0, 1};
    assertThat(ReceiverAddress.notPublic(Inet6Address.getByAddress(null, mapped, 0)))
        .contains("private");
    assertThat(ReceiverAddress.notPublic(InetAddress.ofLiteral("::ffff:127.0.0.1")))
        .contains("loopback");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "8.8.8.8",
        "172.15.255.255",
        "172.32.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "192.0.1.1",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450::1",
        "64:ff9b::808:808",
        "2002:808:808::1"
      })
  void arePublic(String address) {
    assertThat(ReceiverAddress.notPublic(InetAddress.ofLiteral(address))).isEmpty();
  }
}
