package io.sippbx.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("mu-law (ITU-T G.711)")
class MuLawTest {

  // From table 2 of G.711, whose 14-bit values are shifted left by two here: the ends of the
  // segments, their middles, and zero.
  @ParameterizedTest
  @CsvSource({
    "0xff, 0",
    "0x80, 32124",
    "0x00, -32124",
    "0x8f, 16764",
    "0x90, 15996",
    "0x9f, 8316",
    "0xa0, 7932",
    "0xb0, 3900",
    "0xc0, 1884",
    "0xd0, 876",
    "0xe0, 372",
    "0xf0, 120",
    "0xfe, 8",
    "0x7e, -8",
    "0x7f, 0"
  })
  void decodesAsTheTableSays(String code, int sample) {
    assertThat(MuLaw.decode((byte) (int) Integer.decode(code))).isEqualTo(sample);
  }

  @Test
  void encodesEachDecodedCodeAsItself() {
    for (int code = 0; code < 256; code++) {
      // 0x7f is minus zero, which nothing decodes from but 0.
      int expected = code == 0x7f ? 0xff : code;
      assertThat(MuLaw.encode(MuLaw.decode((byte) code)) & 0xff).isEqualTo(expected);
    }
  }

  @Test
  void isOffByNoMoreThanHalfAStep() {
    for (int sample = -MuLaw.LOUDEST; sample <= MuLaw.LOUDEST; sample++) {
      // A step is 8 in the first segment and doubles with each.
      int segment = 24 - Integer.numberOfLeadingZeros(Math.abs(sample) + 132);
      int error = Math.abs(MuLaw.decode(MuLaw.encode(sample)) - sample);
      assertThat(error).as("sample %d", sample).isLessThanOrEqualTo(4 << segment);
    }
  }

  @Test
  void makesWhatIsTooLoudTheLoudest() {
    assertThat(MuLaw.encode(Short.MAX_VALUE)).isEqualTo((byte) 0x80);
    assertThat(MuLaw.encode(Short.MIN_VALUE)).isEqualTo((byte) 0x00);
  }
}
