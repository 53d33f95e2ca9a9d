package io.sippbx.shared.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpAddressTest {

  @ParameterizedTest
  @CsvSource({
    "192.0.2.1, 192.0.2.1",
    "0.0.0.0, 0.0.0.0",
    "255.255.255.255, 255.255.255.255",
    "::, ::",
    "::1, ::1",
    "2001:DB8::1, 2001:db8::1",
    "[2001:db8::1], 2001:db8::1",
    "2001:db8:0:0:0:0:0:1, 2001:db8::1",
    "2001:0db8:0000:0000:0001:0000:0000:0001, 2001:db8::1:0:0:1",
    "1:0:0:2:0:0:0:3, 1:0:0:2::3",
    "1:0:2:3:4:5:6:7, 1:0:2:3:4:5:6:7",
    "1:2:3:4:5:6:7::, 1:2:3:4:5:6:7:0",
    "::2:3:4:5:6:7:8, 0:2:3:4:5:6:7:8",
    "fe80::, fe80::",
    "64:ff9b::192.0.2.33, 64:ff9b::c000:221",
    "::ffff:192.0.2.1, 192.0.2.1",
    "[::ffff:c000:201], 192.0.2.1",
    "::192.0.2.1, ::c000:201",
    "1:2:3:4:5:6:192.0.2.1, 1:2:3:4:5:6:c000:201",
  })
  @DisplayName("RFC 4291 2.2 is read, RFC 5952 is written")
  void readsAnyFormAndWritesOne(String literal, String text) {
    assertEquals(text, IpAddress.of(literal).toString());
    assertEquals(IpAddress.of(literal), IpAddress.of(text));
    assertEquals(IpAddress.of(literal).hashCode(), IpAddress.of(text).hashCode());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "01.2.3.4",
        "1.2.3.4 ",
        "+1.2.3.4",
        "0x1.2.3.4",
        "[1.2.3.4]",
        "localhost",
        ":",
        ":::",
        "1:2",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "12345::",
        "g::",
        "1:",
        ":1",
        "::1:",
        "1::%eth0",
        "::1.2.3",
        "::1.2.3.4:5",
        "1:2:3:4:5:6:7:1.2.3.4",
        "[::1",
        "::1]",
        "[]",
        "\u0661.2.3.4",
        "::\u0661",
      })
  void refuses(String literal) {
    assertEquals(Optional.empty(), IpAddress.parse(literal));
    assertThrows(IllegalArgumentException.class, () -> IpAddress.of(literal));
  }

  @Test
  void isMadeOfOctets() {
    byte[] octets = {(byte) 192, 0, 2, 1};
    IpAddress address = IpAddress.ofOctets(octets);
    octets[0] = 1;
    assertEquals("192.0.2.1", address.toString());
    address.octets()[0] = 1;
    assertArrayEquals(new byte[] {(byte) 192, 0, 2, 1}, address.octets());
    assertFalse(address.isV6());
    assertThrows(IllegalArgumentException.class, () -> IpAddress.ofOctets(new byte[5]));
  }

  @Test
  void knowsWhatItIs() {
    assertTrue(IpAddress.of("127.9.9.9").isLoopback());
    assertTrue(IpAddress.of("::1").isLoopback());
    assertTrue(IpAddress.of("::ffff:127.0.0.1").isLoopback());
    assertFalse(IpAddress.of("128.0.0.1").isLoopback());
    assertFalse(IpAddress.of("::2").isLoopback());
    assertFalse(IpAddress.of("1::1").isLoopback());
    assertTrue(IpAddress.of("0.0.0.0").isUnspecified());
    assertTrue(IpAddress.of("::").isUnspecified());
    assertFalse(IpAddress.of("0.0.0.1").isUnspecified());
    assertTrue(IpAddress.of("2001:db8::1").isV6());
    assertEquals("[2001:db8::1]", IpAddress.of("2001:db8::1").uriText());
    assertEquals("192.0.2.1", IpAddress.of("192.0.2.1").uriText());
    assertNotEquals(IpAddress.of("::c000:201"), IpAddress.of("192.0.2.1"));
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4})
  void agreesWithThePlatform(long seed) throws UnknownHostException {
    var random = new Random(seed);
    for (int i = 0; i < 500; i++) {
      var octets = new byte[random.nextBoolean() ? 4 : 16];
      random.nextBytes(octets);
      for (int zero = random.nextInt(octets.length + 1); zero > 0; zero--) {
        octets[random.nextInt(octets.length)] = 0;
      }
      IpAddress address = IpAddress.ofOctets(octets);
      InetAddress platform = InetAddress.getByAddress(octets);
      assertEquals(address, IpAddress.of(address.toString()), address.toString());
      assertEquals(address, IpAddress.of(platform.getHostAddress()), address.toString());
      assertArrayEquals(
          platform.getAddress(), InetAddress.ofLiteral(address.toString()).getAddress());
      assertEquals(platform.isLoopbackAddress(), address.isLoopback());
      assertEquals(platform.isAnyLocalAddress(), address.isUnspecified());
    }
  }
}
