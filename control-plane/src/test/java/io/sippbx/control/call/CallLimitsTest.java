package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CallLimitsTest {

  private static final Duration SECOND = Duration.ofSeconds(1);

  /** Limits of 1, but for one of them. */
  private static CallLimits but(int which, int limit) {
    int[] each = IntStream.range(0, 6).map(i -> i == which ? limit : 1).toArray();
    return new CallLimits(
        each[0], each[1], SECOND, SECOND, each[2], SECOND, each[3], each[4], each[5]);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5})
  void areAtLeastOneEach(int which) {
    but(which, 1);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> but(which, 0))
        .withMessageContaining("limits of 1 or more")
        .withMessageContaining("0 ");
  }

  @ParameterizedTest
  @CsvSource({"PT0S, PT1S", "PT1S, PT0S", "PT-1S, PT1S"})
  void waitForSomeTime(Duration patience, Duration heldFor) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new CallLimits(1, 1, SECOND, patience, 1, heldFor, 1, 1, 1))
        .withMessageContaining(patience + " and " + heldFor);
  }
}
