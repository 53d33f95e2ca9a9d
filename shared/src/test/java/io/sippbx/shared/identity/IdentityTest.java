package io.sippbx.shared.identity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdentityTest {

  @Nested
  @DisplayName("call key (DESIGN.md, law 1)")
  class CallKeys {
    @Test
    void isBase32OfItsOctets() {
      // "foobar" is "mzxw6ytboi" in RFC 4648 10; the rest of the 128 bits are zero.
      var octets = new byte[16];
      System.arraycopy(new byte[] {'f', 'o', 'o', 'b', 'a', 'r'}, 0, octets, 0, 6);
      assertEquals("mzxw6ytboiaaaaaaaaaaaaaaaa", CallKey.ofBytes(octets).text());
      assertEquals("a".repeat(26), CallKey.ofBytes(new byte[16]).text());
    }

    @Test
    void takesTheFirstSixteenOctetsOfMore() {
      var octets = new byte[32];
      java.util.Arrays.fill(octets, 0, 16, (byte) 255);
      CallKey key = CallKey.ofBytes(octets);
      assertEquals("7".repeat(25) + "4", key.text());
      octets[16] = 1;
      assertEquals(key, CallKey.ofBytes(octets));
      octets[15] = 0;
      assertNotEquals(key, CallKey.ofBytes(octets));
    }

    @Test
    void differsInEveryBit() {
      var seen = new HashSet<CallKey>();
      for (int bit = 0; bit < 128; bit++) {
        var octets = new byte[16];
        octets[bit / 8] = (byte) (1 << bit % 8);
        assertTrue(seen.add(CallKey.ofBytes(octets)), "bit " + bit);
      }
    }

    @Test
    void isFoundAtTheStartOfATag() {
      var octets = new byte[16];
      new Random(1).nextBytes(octets);
      CallKey key = CallKey.ofBytes(octets);
      assertEquals(Optional.of(key), CallKey.prefixOf(key.text() + "a1"));
      assertEquals(Optional.of(key), CallKey.prefixOf(key.text()));
      assertEquals(Optional.empty(), CallKey.prefixOf(key.text().substring(1)));
      assertEquals(Optional.empty(), CallKey.prefixOf("0" + key.text()));
      assertEquals(key.text(), key.toString());
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "",
          "aaaaaaaaaaaaaaaaaaaaaaaaa",
          "aaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "Aaaaaaaaaaaaaaaaaaaaaaaaaa",
          "1aaaaaaaaaaaaaaaaaaaaaaaaa",
          "8aaaaaaaaaaaaaaaaaaaaaaaaa",
          "aaaaaaaaaaaaaaaaaaaaaaaaa="
        })
    void refuses(String text) {
      assertThrows(IllegalArgumentException.class, () -> new CallKey(text));
    }

    @Test
    void refusesTooFewOctets() {
      assertThrows(IllegalArgumentException.class, () -> CallKey.ofBytes(new byte[15]));
    }

    @Test
    void isOrderedByItsText() {
      var b = new CallKey("b" + "a".repeat(25));
      var a = new CallKey("a".repeat(26));
      assertEquals(List.of(a, b), List.of(b, a).stream().sorted().toList());
    }
  }

  @Nested
  class Nodes {
    @ParameterizedTest
    @ValueSource(strings = {"a", "node-1", "pod-0.sip.svc", "9", "A1"})
    void takesHostNames(String text) {
      assertEquals(text, new NodeId(text).toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-a", ".a", "a b", "a_b", "a/b", "\u00e9", "a:1"})
    void refuses(String text) {
      assertThrows(IllegalArgumentException.class, () -> new NodeId(text));
    }

    @Test
    void hasALimit() {
      assertEquals(63, new NodeId("a".repeat(63)).text().length());
      assertThrows(IllegalArgumentException.class, () -> new NodeId("a".repeat(64)));
    }

    @Test
    void isOrderedByItsText() {
      assertTrue(new NodeId("a").compareTo(new NodeId("b")) < 0);
    }
  }

  @Test
  void incarnationsHaveSixteenDigits() {
    assertEquals("000000000000000a", new Incarnation(10).toString());
    assertEquals("ffffffffffffffff", new Incarnation(-1).toString());
    assertNotEquals(new Incarnation(1), new Incarnation(2));
  }
}
