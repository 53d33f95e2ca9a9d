package io.sippbx.media.rtp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("sequence numbers (RFC 3550 5.1)")
class SequenceNumberTest {

  @ParameterizedTest
  @CsvSource({
    "0, 0, 0",
    "0, 1, 1",
    "1, 0, -1",
    "65535, 0, 1",
    "0, 65535, -1",
    "65000, 500, 1036",
    "0, 32767, 32767",
    "0, 32768, -32768",
    "32768, 0, -32768",
  })
  void measuresTheShorterWay(int from, int to, int steps) {
    assertThat(SequenceNumber.distance(from, to)).isEqualTo(steps);
    assertThat(new SequenceNumber(to).minus(new SequenceNumber(from))).isEqualTo(steps);
    assertThat(new SequenceNumber(to).isAfter(new SequenceNumber(from))).isEqualTo(steps > 0);
  }

  @Test
  void wraps() {
    assertThat(new SequenceNumber(65_535).next()).isEqualTo(new SequenceNumber(0));
    assertThat(new SequenceNumber(7).next()).isEqualTo(new SequenceNumber(8));
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertThatThrownBy(() -> new SequenceNumber(-1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new SequenceNumber(65_536))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
