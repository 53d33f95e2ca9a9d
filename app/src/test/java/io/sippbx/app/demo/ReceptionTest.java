package io.sippbx.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("what a phone heard (RFC 3550 A.1, A.3)")
class ReceptionTest {

  private static final int SSRC = 0x1234_5678;
  private static final int SAMPLES = 160;

  private final Reception reception = new Reception(new Tone(400), new Tone(650));

  private void hear(int sequence) {
    hear(0x80, 0, sequence, SSRC);
  }

  /** A packet after so many packets' time of silence in all. */
  private void hearAfter(int silence, int sequence) {
    hear(0x80, 0, sequence, (sequence + silence) * SAMPLES, SSRC);
  }

  private void hear(int first, int payloadType, int sequence, int ssrc) {
    hear(first, payloadType, sequence, sequence * SAMPLES, ssrc);
  }

  private void hear(int first, int payloadType, int sequence, int timestamp, int ssrc) {
    ByteBuffer packet =
        ByteBuffer.allocate(12 + SAMPLES)
            .put((byte) first)
            .put((byte) payloadType)
            .putShort((short) sequence)
            .putInt(timestamp)
            .putInt(ssrc);
    new Tone(400).write(packet.array(), 12, SAMPLES, timestamp);
    reception.receive(packet.clear());
  }

  @Test
  void hasHeardNothingAtFirst() {
    assertThat(reception.reading()).isEqualTo(new Reception.Reading(0, 0, 0, 0, 0, 0, 0));
  }

  @Test
  void countsWhatIsMissingInBetween() {
    for (int sequence : new int[] {100, 101, 103, 106}) {
      hear(sequence);
    }
    Reception.Reading reading = reception.reading();
    assertThat(reading.packets()).isEqualTo(4);
    assertThat(reading.lost()).isEqualTo(3);
  }

  @Test
  void countsAcrossTheEndOfTheSequenceNumbers() {
    for (int number : new int[] {65_534, 65_535, 65_536, 65_538}) {
      hear(0x80, 0, number & 0xffff, number * SAMPLES, SSRC);
    }
    Reception.Reading reading = reception.reading();
    assertThat(reading.packets()).isEqualTo(4);
    assertThat(reading.lost()).isEqualTo(1);
    assertThat(reading.lastSequence()).isEqualTo(2);
  }

  @Test
  void countsAcrossTheEndOfTheClock() {
    int start = -2 * SAMPLES;
    for (int i = 0; i < 5; i++) {
      hear(0x80, 0, 9 + i, start + i * SAMPLES, SSRC);
    }
    assertThat(reception.reading().packets()).isEqualTo(5);
    assertThat(reception.reading().lost()).isZero();
  }

  @Test
  void tellsWhatIsMissingAtTheEdgeOfTalkFromLoss() {
    hear(1);
    hear(2);
    // 3 and 4 were said before the path was open again, 6 was lost.
    hearAfter(50, 5);
    hearAfter(50, 7);
    Reception.Reading reading = reception.reading();
    assertThat(reading.packets()).isEqualTo(4);
    assertThat(reading.lost()).isEqualTo(1);
    assertThat(reading.lastSequence()).isEqualTo(7);
  }

  @Test
  void keepsNoMoreStretchesThanItHasRoomFor() {
    for (int i = 0; i < 120; i++) {
      hearAfter(i, i);
    }
    assertThat(reception.reading().packets()).isEqualTo(100);
    assertThat(reception.reading().strange()).isEqualTo(20);
  }

  @Test
  void countsAPacketThatCameTwiceOnce() {
    hear(7);
    hear(8);
    hear(8);
    Reception.Reading reading = reception.reading();
    assertThat(reading.packets()).isEqualTo(2);
    assertThat(reading.duplicates()).isEqualTo(1);
    assertThat(reading.lost()).isZero();
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void losesNothingByAnotherOrder(long seed) {
    var random = new Random(seed);
    int first = random.nextInt(65_536);
    var order = new ArrayList<Integer>();
    for (int i = 1; i < 200; i++) {
      order.add(first + i);
    }
    for (int i = 0; i + 8 < order.size(); i += 8) {
      Collections.shuffle(order.subList(i, i + 8), random);
    }
    hear(first);
    order.forEach(number -> hear(0x80, 0, number & 0xffff, number * SAMPLES, SSRC));
    Reception.Reading reading = reception.reading();
    assertThat(reading.packets()).isEqualTo(200);
    assertThat(reading.lost()).isZero();
    assertThat(reading.duplicates()).isZero();
    assertThat(reading.strange()).isZero();
  }

  @Test
  void setsAsideWhatIsNotOfTheStream() {
    hear(10);
    hear(0x80, 0, 11, SSRC + 1);
    hear(0x80, 8, 11, SSRC);
    hear(0x40, 0, 11, SSRC);
    reception.receive(ByteBuffer.allocate(3));
    // Before the first: nobody has sent it.
    hear(9);
    Reception.Reading reading = reception.reading();
    assertThat(reading.packets()).isEqualTo(1);
    assertThat(reading.strange()).isEqualTo(5);
  }

  @Test
  void hearsTheTone() {
    for (int sequence = 0; sequence < 50; sequence++) {
      hear(sequence);
    }
    assertThat(reception.reading().share()).isGreaterThan(0.99);
    assertThat(reception.reading().echo()).isLessThan(0.001);
  }
}
