package io.sippbx.event.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** When an attempt is repeated: {@link Outcome} and {@link RetrySchedule}. */
class RetryTest {

  private static final Instant NOW = Instant.parse("2025-01-05T10:00:00Z");

  @ParameterizedTest
  @ValueSource(ints = {200, 201, 202, 204, 299})
  void everyStatusOfSuccessIsDelivered(int status) {
    assertThat(Outcome.of(status, "", NOW)).isEqualTo(new Outcome.Delivered(status));
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 401, 403, 404, 410, 422, 100, 304})
  void whatOurRequestIsRefusedForIsFinal(int status) {
    assertThat(Outcome.of(status, "5", NOW))
        .isEqualTo(new Outcome.Refused(status, "status " + status));
  }

  @ParameterizedTest
  @ValueSource(ints = {408, 429, 500, 502, 503, 504})
  void whatMayPassIsTriedAgain(int status) {
    assertThat(Outcome.of(status, "", NOW))
        .isEqualTo(new Outcome.Again(status, "status " + status, Optional.empty()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "120|120",
        " 7 |7",
        "0|0",
        "Sun, 05 Jan 2025 10:01:30 GMT|90",
        "Sun, 05 Jan 2025 09:00:00 GMT|0",
        "soon|",
        "-5|",
        "1.5|",
        "99999999999999999999|"
      })
  void aReceiverSaysWhenInSecondsOrByADate(String header, String seconds) {
    Optional<Duration> expected =
        Optional.ofNullable(seconds).map(text -> Duration.ofSeconds(Long.parseLong(text)));
    assertThat(Outcome.of(429, header, NOW))
        .isEqualTo(new Outcome.Again(429, "status 429", expected));
  }

  @Test
  void pausesGrowThreefoldToFiveMinutes() {
    var schedule = new RetrySchedule(8, () -> 0.5);
    assertThat(
            IntStream.rangeClosed(1, 9)
                .mapToObj(attempt -> schedule.pause(attempt, Optional.empty()))
                .map(pause -> pause.map(Duration::toSeconds).orElse(-1L)))
        .containsExactly(1L, 3L, 9L, 27L, 81L, 243L, 300L, 300L, -1L);
  }

  @Test
  void pausesAreSpreadSoThatNotAllComeAtOnce() {
    assertThat(new RetrySchedule(1, () -> 0).pause(1, Optional.empty()))
        .contains(Duration.ofMillis(750));
    assertThat(new RetrySchedule(1, () -> 1).pause(1, Optional.empty()))
        .contains(Duration.ofMillis(1_250));
  }

  @Test
  void noAttemptIsMadeBeforeTheReceiverWantsIt() {
    var schedule = new RetrySchedule(3, () -> 0.5);
    assertThat(schedule.pause(1, Optional.of(Duration.ofSeconds(20))))
        .contains(Duration.ofSeconds(20));
    assertThat(schedule.pause(3, Optional.of(Duration.ofSeconds(2))))
        .contains(Duration.ofSeconds(9));
  }

  @Test
  void aReceiverCannotAskForMoreThanAnHour() {
    assertThat(new RetrySchedule(3, () -> 0.5).pause(1, Optional.of(Duration.ofDays(30))))
        .contains(Duration.ofHours(1));
  }

  @Test
  void withoutRetriesThereIsOneAttempt() {
    assertThat(new RetrySchedule(0, () -> 0.5).pause(1, Optional.empty())).isEmpty();
  }
}
