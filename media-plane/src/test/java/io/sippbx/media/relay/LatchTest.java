package io.sippbx.media.relay;

import static io.sippbx.media.relay.Latch.Verdict.HELD;
import static io.sippbx.media.relay.Latch.Verdict.LATCHED;
import static io.sippbx.media.relay.Latch.Verdict.LINGERING;
import static io.sippbx.media.relay.Latch.Verdict.REPLACED;
import static io.sippbx.media.relay.Latch.Verdict.STRAY;
import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.media.relay.Latch.Verdict;
import io.sippbx.shared.net.Endpoint;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("latching (docs/latching.md)")
class LatchTest {

  private static final Endpoint SIGNALLED = Endpoint.of("192.0.2.1", 4_000);
  private static final Endpoint NAT = Endpoint.of("198.51.100.7", 61_234);
  private static final Endpoint STRANGER = Endpoint.of("203.0.113.66", 666);
  private static final long SECOND = 1_000_000_000L;

  private final Latch latch = new Latch();

  /** A packet from one source, and then another from one at a later time. */
  @ParameterizedTest(name = "{0}, then {2} ns later {1}: {3}")
  @CsvSource({
    // the held source itself
    "SIGNALLED, SIGNALLED, 0, HELD",
    "NAT, NAT, 2999999999, HELD",
    "NAT, NAT, 600000000000, HELD",
    // in the first 3 s the signalled address displaces any other
    "NAT, SIGNALLED, 0, REPLACED",
    "NAT, SIGNALLED, 1999999999, REPLACED",
    "NAT, SIGNALLED, 2999999999, REPLACED",
    // no other does
    "NAT, STRANGER, 0, STRAY",
    "SIGNALLED, STRANGER, 0, STRAY",
    "SIGNALLED, NAT, 2999999999, STRAY",
    // later only when the held one is silent; it has been since the beginning here
    "NAT, SIGNALLED, 3000000000, REPLACED",
    "NAT, STRANGER, 3000000000, STRAY",
    "NAT, STRANGER, 600000000000, STRAY",
    "SIGNALLED, NAT, 600000000000, STRAY",
  })
  void judgesTheSecondSource(String first, String second, long laterNs, Verdict verdict) {
    signal(SIGNALLED, 0);
    assertThat(receive(byName(first), SECOND)).isEqualTo(LATCHED);
    assertThat(receive(byName(second), SECOND + laterNs)).isEqualTo(verdict);
    Endpoint held = verdict == STRAY || verdict == HELD ? byName(first) : byName(second);
    assertThat(destination()).isEqualTo(held);
  }

  /** A held source that goes on, up to some time before the signalled address speaks. */
  @ParameterizedTest(name = "speaking to {0} ms, signalled at {1} ms: {2}")
  @CsvSource({
    "0, 2999, REPLACED",
    "2990, 2999, REPLACED",
    "2990, 3000, STRAY",
    "2990, 4989, STRAY",
    "2990, 4990, REPLACED",
    "60000, 61999, STRAY",
    "60000, 62000, REPLACED",
  })
  void holdsASourceThatSpeaks(long lastMs, long signalledMs, Verdict verdict) {
    signal(SIGNALLED, 0);
    receive(NAT, 0);
    for (long ms = 10; ms <= lastMs; ms += 10) {
      assertThat(receive(NAT, ms * 1_000_000)).isEqualTo(HELD);
    }
    assertThat(receive(SIGNALLED, signalledMs * 1_000_000)).isEqualTo(verdict);
  }

  @Test
  void takesNothingBeforeTheEndHasSpoken() {
    assertThat(receive(NAT, 0)).isEqualTo(STRAY);
    assertThat(latch.hasDestination()).isFalse();
    signal(SIGNALLED, 0);
    assertThat(destination()).isEqualTo(SIGNALLED);
    latch.signalledNothing();
    assertThat(receive(SIGNALLED, 0)).isEqualTo(STRAY);
    assertThat(latch.hasDestination()).isFalse();
    signal(SIGNALLED, 0);
    assertThat(receive(NAT, 0)).isEqualTo(LATCHED);
  }

  @Test
  void countsTheThreeSecondsFromTheFirstPacketAndNotFromTheEpoch() {
    signal(SIGNALLED, 0);
    receive(STRANGER, 60 * SECOND);
    receive(STRANGER, 62 * SECOND);
    assertThat(receive(SIGNALLED, 62 * SECOND)).isEqualTo(REPLACED);
  }

  @Test
  void startsAgainWithAHigherEpochOnly() {
    signal(SIGNALLED, 5);
    receive(NAT, 0);
    for (int epoch : new int[] {5, 4, 0}) {
      signal(STRANGER, epoch);
      assertThat(latch.isHeld()).isTrue();
      assertThat(destination()).isEqualTo(NAT);
    }
    signal(STRANGER, 6);
    assertThat(latch.isHeld()).isFalse();
    assertThat(destination()).isEqualTo(STRANGER);
    assertThat(receive(SIGNALLED, SECOND)).isEqualTo(LATCHED);
    assertThat(receive(STRANGER, SECOND)).isEqualTo(REPLACED);
  }

  /** The phone moved from NAT; packets of the old place are still on their way. */
  @Test
  void takesWhatLingersOfTheOldSourceButLetsAnyOtherLatch() {
    signal(SIGNALLED, 0);
    receive(NAT, 0);
    Endpoint moved = Endpoint.of("192.0.2.99", 4_444);
    signal(moved, 1);
    assertThat(receive(NAT, SECOND)).isEqualTo(LINGERING);
    assertThat(latch.isHeld()).isFalse();
    // what is sent goes where the end said that it is now
    assertThat(destination()).isEqualTo(moved);
    // behind another NAT it never sends from the signalled address; it is not locked out
    assertThat(receive(STRANGER, 10 * SECOND)).isEqualTo(LATCHED);
    assertThat(receive(NAT, 10 * SECOND)).isEqualTo(STRAY);
    assertThat(destination()).isEqualTo(STRANGER);
    // and its own 3 s begin with its own first packet
    assertThat(receive(moved, 12 * SECOND)).isEqualTo(REPLACED);
  }

  @Test
  void holdsTheOldSourceAgainWhenItGoesOnForThreeSecondsAlone() {
    signal(SIGNALLED, 0);
    receive(NAT, 0);
    signal(SIGNALLED.withPort(4_002), 1);
    for (long ms = 0; ms < 3_000; ms += 20) {
      assertThat(receive(NAT, SECOND + ms * 1_000_000)).isEqualTo(LINGERING);
    }
    assertThat(receive(NAT, 4 * SECOND)).isEqualTo(LATCHED);
    assertThat(destination()).isEqualTo(NAT);
    assertThat(receive(STRANGER, 4 * SECOND)).isEqualTo(STRAY);
  }

  @Test
  void prefersTheOldSourceWhereItIsTheOneSignalledNow() {
    signal(SIGNALLED, 0);
    receive(NAT, 0);
    signal(NAT, 1);
    assertThat(receive(NAT, SECOND)).isEqualTo(LATCHED);
  }

  /** The epoch is the end's: it rises for RTP too when only RTCP is elsewhere. */
  @Test
  void prefersTheOldSourceWhereTheSignalledAddressIsAsBefore() {
    signal(SIGNALLED, 0);
    receive(NAT, 0);
    signal(SIGNALLED, 1);
    assertThat(receive(NAT, SECOND)).isEqualTo(LATCHED);
    assertThat(destination()).isEqualTo(NAT);
  }

  @Test
  void doesNotPreferTheSourceOfAnEndThatWasForgotten() {
    signal(SIGNALLED, 0);
    receive(NAT, 0);
    latch.signalledNothing();
    assertThat(receive(NAT, SECOND)).isEqualTo(STRAY);
    signal(STRANGER, 1);
    assertThat(receive(NAT, SECOND)).isEqualTo(LINGERING);
    // nor after yet another one, before anybody else has come
    signal(SIGNALLED, 2);
    assertThat(receive(NAT, 5 * SECOND)).isEqualTo(LINGERING);
    assertThat(receive(SIGNALLED, 5 * SECOND)).isEqualTo(LATCHED);
  }

  @Test
  void tellsApartSourcesByPortAndByEveryBitOfTheAddress() {
    signal(SIGNALLED, 0);
    for (Endpoint held : List.of(NAT, Endpoint.of("2001:db8::1", 5_004))) {
      signal(SIGNALLED, held.ip().isV6() ? 1 : 0);
      receive(held, 0);
      assertThat(receive(held.withPort(held.port() + 1), 0)).isEqualTo(STRAY);
      long high = AddressBits.high(held.ip());
      long low = AddressBits.low(held.ip());
      for (int bit = 0; bit < Long.SIZE; bit++) {
        assertThat(latch.received(high ^ 1L << bit, low, held.port(), 0)).isEqualTo(STRAY);
        assertThat(latch.received(high, low ^ 1L << bit, held.port(), 0)).isEqualTo(STRAY);
      }
      assertThat(receive(held, 0)).isEqualTo(HELD);
    }
  }

  @Test
  void hasNoPlaceToSendToForAnUnspecifiedAddressUntilLatched() {
    for (Endpoint nowhere :
        List.of(Endpoint.of("0.0.0.0", 4_000), Endpoint.of("::", 4_000), NAT.withPort(0))) {
      var other = new Latch();
      other.signalled(
          AddressBits.high(nowhere.ip()), AddressBits.low(nowhere.ip()), nowhere.port(), 0);
      assertThat(other.hasDestination()).isFalse();
      other.received(AddressBits.high(NAT.ip()), AddressBits.low(NAT.ip()), NAT.port(), 0);
      assertThat(other.hasDestination()).isTrue();
    }
  }

  /** Some minutes of several sources and changes, against the rules written down once more. */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void keepsTheRulesOverRandomSequences(long seed) {
    var random = new Random(seed);
    List<Endpoint> places = List.of(SIGNALLED, NAT, STRANGER, Endpoint.of("2001:db8::1", 4_000));
    @Nullable Endpoint signalled = null;
    @Nullable Endpoint held = null;
    @Nullable Endpoint old = null;
    long lingersSinceNs = -1;
    int epoch = 0;
    long firstNs = 0;
    long lastNs = 0;
    long nowNs = random.nextLong(SECOND);
    for (int i = 0; i < 20_000; i++) {
      nowNs += random.nextInt(8) == 0 ? random.nextLong(3 * SECOND) : random.nextLong(SECOND / 20);
      switch (random.nextInt(60)) {
        case 0 -> {
          latch.signalledNothing();
          signalled = null;
          old = held == null ? old : held;
          held = null;
        }
        case 1, 2 -> {
          int raised = epoch + random.nextInt(-1, 3);
          Endpoint to = places.get(random.nextInt(places.size()));
          signal(to, raised);
          if (signalled == null || raised > epoch) {
            if (signalled != null && held != null) {
              old = to.equals(signalled) ? null : held;
            }
            held = null;
            lingersSinceNs = -1;
          }
          epoch = signalled == null ? raised : Math.max(epoch, raised);
          signalled = to;
        }
        default -> {
          Endpoint from = places.get(random.nextInt(places.size()));
          Verdict expected;
          if (signalled == null) {
            expected = STRAY;
          } else if (held == null && from.equals(old) && !from.equals(signalled)) {
            lingersSinceNs = lingersSinceNs < 0 ? nowNs : lingersSinceNs;
            expected = nowNs >= lingersSinceNs + 3 * SECOND ? LATCHED : LINGERING;
            firstNs = lingersSinceNs;
          } else if (held == null) {
            expected = LATCHED;
            firstNs = nowNs;
          } else if (held.equals(from)) {
            expected = HELD;
          } else if (from.equals(signalled)
              && (nowNs < firstNs + 3 * SECOND || nowNs >= lastNs + 2 * SECOND)) {
            expected = REPLACED;
          } else {
            expected = STRAY;
          }
          if (expected != STRAY && expected != LINGERING) {
            held = from;
            lastNs = nowNs;
          }
          assertThat(receive(from, nowNs)).as("seed %d step %d", seed, i).isEqualTo(expected);
        }
      }
      assertThat(latch.isHeld()).isEqualTo(held != null);
      assertThat(latch.hasDestination()).isEqualTo(signalled != null);
      if (signalled != null) {
        assertThat(destination()).isEqualTo(held != null ? held : signalled);
      }
    }
  }

  private void signal(Endpoint to, int epoch) {
    latch.signalled(AddressBits.high(to.ip()), AddressBits.low(to.ip()), to.port(), epoch);
  }

  private Verdict receive(Endpoint from, long nowNs) {
    return latch.received(
        AddressBits.high(from.ip()), AddressBits.low(from.ip()), from.port(), nowNs);
  }

  private Endpoint destination() {
    return AddressBits.endpoint(
        latch.destinationHigh(), latch.destinationLow(), latch.destinationPort());
  }

  private static Endpoint byName(String name) {
    return switch (name) {
      case "SIGNALLED" -> SIGNALLED;
      case "NAT" -> NAT;
      default -> STRANGER;
    };
  }
}
