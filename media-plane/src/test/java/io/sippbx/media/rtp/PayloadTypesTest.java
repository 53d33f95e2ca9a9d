package io.sippbx.media.rtp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("payload types and clock rates (RFC 3551 6)")
class PayloadTypesTest {

  @Test
  void allowsThoseGivenAndNoOther() {
    PayloadTypes types = PayloadTypes.of(MediaKind.AUDIO, List.of(0, 63, 64, 101, 127));
    for (int type = 0; type < PayloadTypes.COUNT; type++) {
      assertThat(types.allows(type)).isEqualTo(List.of(0, 63, 64, 101, 127).contains(type));
    }
  }

  @Test
  void allowsAllWhenNoneIsGiven() {
    PayloadTypes types = PayloadTypes.of(MediaKind.VIDEO, List.of());
    for (int type = 0; type < PayloadTypes.COUNT; type++) {
      assertThat(types.allows(type)).isTrue();
    }
    assertThat(types).isEqualTo(PayloadTypes.any(MediaKind.VIDEO));
    assertThat(types).hasToString("PayloadTypes[any]");
  }

  @ParameterizedTest
  @CsvSource({
    "AUDIO, 0, 8000",
    "AUDIO, 6, 16000",
    "AUDIO, 9, 8000",
    "AUDIO, 10, 44100",
    "AUDIO, 11, 44100",
    "AUDIO, 14, 90000",
    "AUDIO, 16, 11025",
    "AUDIO, 17, 22050",
    "AUDIO, 18, 8000",
    "VIDEO, 26, 90000",
    "VIDEO, 34, 90000",
    "AUDIO, 101, 8000",
    "VIDEO, 96, 90000",
    "OTHER, 96, 90000",
    "VIDEO, 0, 8000",
  })
  void knowsTheClockRatesOfStaticTypesAndGuessesTheRest(MediaKind kind, int type, int rateHz) {
    assertThat(PayloadTypes.any(kind).clockRateHz(type)).isEqualTo(rateHz);
  }

  @Test
  void takesTheClockRateThatWasNegotiated() {
    var types = PayloadTypes.of(MediaKind.AUDIO, List.of(0, 111), Map.of(111, 48_000));
    assertThat(types.clockRateHz(111)).isEqualTo(48_000);
    assertThat(types).hasToString("PayloadTypes[0/8000 111/48000]");
    assertThat(types).isNotEqualTo(PayloadTypes.of(MediaKind.AUDIO, List.of(0, 111)));
    assertThat(types)
        .isEqualTo(PayloadTypes.of(MediaKind.AUDIO, List.of(111, 0), Map.of(111, 48_000)))
        .hasSameHashCodeAs(PayloadTypes.of(MediaKind.AUDIO, List.of(111, 0), Map.of(111, 48_000)));
  }

  @Test
  void refusesWhatCannotBe() {
    assertThatThrownBy(() -> PayloadTypes.of(MediaKind.AUDIO, List.of(128)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("128");
    assertThatThrownBy(() -> PayloadTypes.of(MediaKind.AUDIO, List.of(-1)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> PayloadTypes.of(MediaKind.AUDIO, List.of(0), Map.of(0, 0)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void readsTheKindFromTheMediaField() {
    assertThat(MediaKind.of("audio")).isEqualTo(MediaKind.AUDIO);
    assertThat(MediaKind.of("Video")).isEqualTo(MediaKind.VIDEO);
    assertThat(MediaKind.of("application")).isEqualTo(MediaKind.OTHER);
  }
}
