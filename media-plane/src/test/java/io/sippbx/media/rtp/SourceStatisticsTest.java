package io.sippbx.media.rtp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("loss and jitter of a source (RFC 3550 A.1, A.3, A.8)")
class SourceStatisticsTest {

  private static final int SSRC = 0xcafe;
  private static final int RATE = 8_000;
  private static final long MS = 1_000_000;

  private final SourceStatistics source = new SourceStatistics();

  @Nested
  class Loss {

    @Test
    void isNothingBeforeAndAfterTheFirstPacket() {
      assertThat(source.lost()).isZero();
      assertThat(source.isStarted()).isFalse();
      receive(65_535);
      assertThat(source.lost()).isZero();
      assertThat(source.ssrc()).isEqualTo(SSRC);
    }

    @Test
    void isWhatIsMissingAcrossTheWrap() {
      receive(65_533, 65_535, 1, 2);
      assertThat(source.lost()).isEqualTo(2);
    }

    @Test
    void isMadeGoodByALatePacketAndOvershotByADuplicate() {
      receive(10, 12);
      assertThat(source.lost()).isEqualTo(1);
      receive(11);
      assertThat(source.lost()).isZero();
      receive(11, 12);
      assertThat(source.lost()).isEqualTo(-2);
    }

    @Test
    void staysOverAGapBelowTheLimit() {
      receive(0, 2_999);
      assertThat(source.lost()).isEqualTo(2_998);
    }

    @Test
    void leavesALonePacketFarAwayOut() {
      receive(100, 101, 40_000, 102, 103);
      assertThat(source.lost()).isZero();
    }

    @Test
    void goesOnAfterARestart() {
      receive(100, 102); // one lost
      receive(40_000, 40_001, 40_003); // a restart; one lost there
      assertThat(source.lost()).isEqualTo(2);
    }

    @Test
    void takesASmallStepBackForAnOldPacketAndALargeOneForARestart() {
      receive(1_000, 901);
      assertThat(source.lost()).isEqualTo(-1);
      receive(800, 801, 802);
      assertThat(source.lost()).isEqualTo(-1);
      receive(803);
      assertThat(source.lost()).isEqualTo(-1);
    }

    @Test
    void doesNotTakeTwoFarPacketsApartForARestart() {
      receive(100, 40_000, 50_000, 101);
      assertThat(source.lost()).isZero();
    }

    @Test
    void isForgottenByStartingAnew() {
      receive(1, 5);
      source.restart();
      assertThat(source.lost()).isZero();
      assertThat(source.jitterTicks()).isZero();
      receive(60_000);
      assertThat(source.lost()).isZero();
    }

    /** 64-bit numbers known to the test, sent with loss, repetition and reordering. */
    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void isExpectedMinusReceivedOverManyWraps(long seed) {
      var random = new Random(seed);
      long first = random.nextInt(65_536);
      List<Long> sent = new ArrayList<>();
      for (long n = first; n < first + 250_000; n++) {
        int copies = n == first ? 1 : random.nextInt(50) == 0 ? random.nextInt(3) : 1;
        for (int i = 0; i < copies; i++) {
          sent.add(n);
        }
      }
      // within a window shorter than the limit of 100
      for (int i = 1; i + 30 < sent.size(); i += 30) {
        if (random.nextInt(10) == 0) {
          Collections.shuffle(sent.subList(i, i + 30), random);
        }
      }
      long highest = first;
      for (long n : sent) {
        source.received(SSRC, (int) (n & 0xffff), 0, RATE, 0);
        highest = Math.max(highest, n);
      }
      long expected = highest - first + 1;
      assertThat(source.lost()).isEqualTo(expected - sent.size());
    }
  }

  @Nested
  class Jitter {

    @Test
    void isNothingForASteadySource() {
      for (int i = 0; i < 1_000; i++) {
        source.received(SSRC, i, 160 * i, RATE, 20 * MS * i);
      }
      assertThat(source.jitterTicks()).isZero();
      assertThat(source.clockRateHz()).isEqualTo(RATE);
    }

    /** Delays of up to 60 ms, wrapping timestamps, against the RFC's formula in real numbers. */
    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void followsTheFormulaOfTheRfc(long seed) {
      var random = new Random(seed);
      int rate = List.of(8_000, 16_000, 48_000, 90_000).get(random.nextInt(4));
      int step = rate / 50;
      long startNs = random.nextLong(Long.MAX_VALUE / 4);
      int startTimestamp = random.nextInt();
      double jitter = 0;
      double lastTransit = 0;
      for (int i = 0; i < 5_000; i++) {
        long afterNs = 20 * MS * i + random.nextLong(60 * MS);
        source.received(SSRC, i & 0xffff, startTimestamp + step * i, rate, startNs + afterNs);
        double transit = afterNs * (double) rate / 1e9 - (double) step * i;
        if (i > 0) {
          jitter += (Math.abs(transit - lastTransit) - jitter) / 16;
        }
        lastTransit = transit;
        assertThat((double) source.jitterTicks()).isBetween(jitter - 3, jitter + 3);
      }
      assertThat(source.jitterTicks()).isGreaterThan(rate / 200);
    }

    @Test
    void isKeptInTimeWhenTheClockRateChanges() {
      var random = new Random(1);
      for (int i = 0; i < 500; i++) {
        source.received(SSRC, i, 160 * i, RATE, 20 * MS * i + random.nextLong(20 * MS));
      }
      long before = source.jitterTicks();
      // RFC 7160: the timestamps of the two rates are not to be compared
      source.received(SSRC, 500, 12, 48_000, 500L * 20 * MS);
      assertThat(source.jitterTicks()).isBetween(6 * before - 6, 6 * before + 6);
    }

    @Test
    void survivesARestart() {
      for (int i = 0; i < 100; i++) {
        source.received(SSRC, i, 160 * i, RATE, 20 * MS * i + 10 * MS * (i % 2));
      }
      long before = source.jitterTicks();
      assertThat(before).isGreaterThan(50);
      // the new timestamps have nothing to do with the old ones
      source.received(SSRC, 30_000, 777_777_777, RATE, 2_000 * MS);
      source.received(SSRC, 30_001, 777_777_937, RATE, 2_020 * MS);
      assertThat(source.jitterTicks()).isEqualTo(before);
    }
  }

  @Nested
  class Streams {

    private final StreamStatistics stream = new StreamStatistics();

    @Test
    void addUpTheLossOfAllSources() {
      assertThat(stream.lost()).isZero();
      assertThat(stream.clockRateHz()).isZero();
      int sources = StreamStatistics.SOURCES * 3;
      for (int ssrc = 1; ssrc <= sources; ssrc++) {
        receive(ssrc, 100);
        receive(ssrc, 100 + ssrc + 1); // ssrc packets lost
      }
      assertThat(stream.lost()).isEqualTo(sources * (sources + 1) / 2);
    }

    @Test
    void tellApartSourcesThatTakeTurns() {
      for (int i = 0; i < 1_000; i++) {
        for (int ssrc = 0; ssrc < StreamStatistics.SOURCES; ssrc++) {
          receive(ssrc, 5_000 * ssrc + i);
        }
      }
      assertThat(stream.lost()).isZero();
      receive(2, 11_001);
      assertThat(stream.lost()).isEqualTo(1);
      receive(0, 1_000);
      assertThat(stream.lost()).isEqualTo(1);
    }

    private void receive(int ssrc, int sequence) {
      stream.received(ssrc, sequence, 0, RATE, 0);
    }
  }

  private void receive(int... sequences) {
    for (int sequence : sequences) {
      source.received(SSRC, sequence, 160 * sequence, RATE, 20 * MS * sequence);
    }
  }
}
