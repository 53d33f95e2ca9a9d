package io.sippbx.control.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.shared.identity.CallKey;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PartitionTest {

  @ParameterizedTest
  @CsvSource({"0, 0", "3, 0", "4, 1", "128, 32", "255, 63"})
  void isTheFirstSixBitsOfACallsKey(int firstOctet, int partition) {
    var octets = new byte[16];
    octets[0] = (byte) firstOctet;
    octets[1] = (byte) 0xff;
    assertThat(Partition.of(CallKey.ofBytes(octets))).isEqualTo(new Partition(partition));
  }

  /** Stored state depends on it: it must never change. */
  @ParameterizedTest
  @CsvSource({"alice, pbx.example, 5", "bob, pbx.example, 18", "1001, 192.0.2.1, 43"})
  void ofAnAddressOfRecordIsWhatItAlwaysWas(String user, String host, int partition) {
    assertThat(Partition.of(new Aor(user, host)).number()).isEqualTo(partition);
  }

  @Test
  void spreadsCallsAndUsers() {
    var random = new Random(1);
    var calls = new int[Partition.COUNT];
    var users = new int[Partition.COUNT];
    for (int i = 0; i < 6400; i++) {
      var octets = new byte[16];
      random.nextBytes(octets);
      calls[Partition.of(CallKey.ofBytes(octets)).number()]++;
      users[Partition.of(new Aor("" + (1000 + i), "pbx.example")).number()]++;
    }
    assertThat(Arrays.stream(calls).boxed()).allMatch(each -> each > 50 && each < 150);
    assertThat(Arrays.stream(users).boxed()).allMatch(each -> each > 50 && each < 150);
  }

  @Test
  void isAHashTagOfTwoDigits() {
    assertThat(new Partition(7).tag()).isEqualTo("{p07}");
    assertThat(new Partition(63).tag()).isEqualTo("{p63}");
    assertThat(new Partition(7)).hasToString("p07");
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 64})
  void isOneOf64(int number) {
    assertThatThrownBy(() -> new Partition(number)).isInstanceOf(IllegalArgumentException.class);
  }
}
