package io.sippbx.app.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ToneMeterTest {

  private static final int PACKET = 160;
  private static final int SECOND = 50;
  private static final Tone EXPECTED = new Tone(400);
  private static final Tone OTHER = new Tone(650);

  private final ToneMeter meter = new ToneMeter(EXPECTED, OTHER);

  private void hear(Tone tone, int firstPacket, int packets) {
    for (int i = firstPacket; i < firstPacket + packets; i++) {
      var octets = new byte[PACKET];
      tone.write(octets, 0, PACKET, (long) i * PACKET);
      meter.add(octets, 0, PACKET);
    }
  }

  @Test
  void findsTheToneAndNotTheOther() {
    hear(EXPECTED, 0, SECOND);
    assertThat(meter.shareOfExpected()).isGreaterThan(0.99);
    assertThat(meter.shareOfOther()).isLessThan(0.001);
  }

  @Test
  void tellsAnEchoFromTheTone() {
    hear(OTHER, 0, SECOND);
    assertThat(meter.shareOfExpected()).isLessThan(0.001);
    assertThat(meter.shareOfOther()).isGreaterThan(0.99);
  }

  @Test
  void weighsWhatWasHeardByTime() {
    hear(EXPECTED, 0, 3 * SECOND);
    hear(OTHER, 0, SECOND);
    assertThat(meter.shareOfExpected()).isCloseTo(0.75, within(0.01));
    assertThat(meter.shareOfOther()).isCloseTo(0.25, within(0.01));
  }

  @Test
  void hearsNoCrackWherePacketsAreMissing() {
    hear(EXPECTED, 0, 7);
    hear(EXPECTED, 9, 6);
    hear(EXPECTED, 100, 12);
    assertThat(meter.shareOfExpected()).isGreaterThan(0.99);
  }

  @Test
  void findsNothingInSilence() {
    var octets = new byte[PACKET];
    Arrays.fill(octets, (byte) 0xff);
    for (int i = 0; i < SECOND; i++) {
      meter.add(octets, 0, PACKET);
    }
    assertThat(meter.shareOfExpected()).isZero();
    assertThat(meter.shareOfOther()).isZero();
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void findsNextToNothingInNoise(long seed) {
    var random = new Random(seed);
    var octets = new byte[PACKET];
    for (int i = 0; i < SECOND; i++) {
      random.nextBytes(octets);
      meter.add(octets, 0, PACKET);
    }
    assertThat(meter.shareOfExpected()).isLessThan(0.05);
    assertThat(meter.shareOfOther()).isLessThan(0.05);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -50, 49, 440, 4_000})
  void takesNoToneWithoutWholeTurnsInAPacket(int hertz) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Tone(hertz))
        .withMessageContaining("but got " + hertz);
  }
}
