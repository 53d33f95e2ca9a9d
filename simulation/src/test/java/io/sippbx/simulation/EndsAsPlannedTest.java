package io.sippbx.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.Ended;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("a call ends as its phones meant it to")
class EndsAsPlannedTest {

  /** In a run, from its beginning. */
  private static Duration at(int seconds) {
    return Simulation.BEGIN.plusSeconds(seconds);
  }

  private static Fault fault(Fault.Kind kind, int at, int lasts) {
    return new Fault(Duration.ofSeconds(at), Duration.ofSeconds(lasts), kind, 0, 0);
  }

  /** The end is told now, and was decided {@code at} a time. */
  private static boolean mayEnd(
      Looks looks, EndsAsPlanned invariant, Reason reason, Duration decided) {
    Instant end = Looks.BEGAN.plus(decided);
    looks.violations.clear();
    invariant.happened(
        Looks.CALL,
        CallEvent.newBuilder()
            .setEnded(
                Ended.newBuilder()
                    .setReason(reason.text())
                    .setEndTime(
                        Timestamp.newBuilder()
                            .setSeconds(end.getEpochSecond())
                            .setNanos(end.getNano())))
            .build());
    return looks.violations.isEmpty();
  }

  @Test
  void whatWentWrongWhenItWasDecidedCountsHoweverLateItIsTold() {
    var looks = new Looks(CallKind.DELAYED_OFFER, fault(Fault.Kind.KILL_ALL_MEDIA, 10, 3));
    var invariant = new EndsAsPlanned(looks);
    looks.now = at(60);
    assertThat(mayEnd(looks, invariant, Reason.NO_MEDIA, at(11))).isTrue();
    assertThat(mayEnd(looks, invariant, Reason.NO_MEDIA, at(9))).as("before it").isFalse();
    assertThat(mayEnd(looks, invariant, Reason.NO_MEDIA, at(24))).as("long after it").isFalse();
  }

  @Test
  @DisplayName("seed 11000546: nobody could read which calls were on the node that had started")
  void aMediaNodeTakesNoCallWhileItWaitsForThoseOfBefore() {
    var looks =
        new Looks(
            CallKind.NOBODY_HANGS_UP,
            fault(Fault.Kind.KILL_ALL_MEDIA, 7, 1),
            fault(Fault.Kind.PAUSE_ALL_CONTROL, 10, 6));
    var invariant = new EndsAsPlanned(looks);
    assertThat(mayEnd(looks, invariant, Reason.NO_MEDIA, at(20))).isTrue();
    assertThat(mayEnd(looks, invariant, Reason.MEDIA_LOST, at(20))).isFalse();
    assertThat(mayEnd(looks, invariant, Reason.NO_MEDIA, at(27))).as("long after it").isFalse();
  }

  @Test
  void itWaitsForThemNoLongerThanHalfAMinute() {
    var looks =
        new Looks(
            CallKind.NOBODY_HANGS_UP,
            fault(Fault.Kind.KILL_MEDIA, 7, 1),
            fault(Fault.Kind.STORE_AWAY, 8, 40));
    var invariant = new EndsAsPlanned(looks);
    assertThat(mayEnd(looks, invariant, Reason.NO_MEDIA, at(38))).isTrue();
    assertThat(mayEnd(looks, invariant, Reason.NO_MEDIA, at(39))).isFalse();
  }

  @Test
  void whereNothingKeepsItFromThemItTakesCallsSoon() {
    var looks =
        new Looks(
            CallKind.NOBODY_HANGS_UP,
            fault(Fault.Kind.STORE_AWAY, 1, 2),
            fault(Fault.Kind.KILL_ALL_MEDIA, 7, 1));
    var invariant = new EndsAsPlanned(looks);
    assertThat(mayEnd(looks, invariant, Reason.NO_MEDIA, at(18))).isTrue();
    assertThat(mayEnd(looks, invariant, Reason.NO_MEDIA, at(19))).isFalse();
  }

  @Test
  void aCallerThatWasRefusedWhileNothingCouldBeWrittenAcknowledgesNoAnswer() {
    var looks = new Looks(CallKind.NOBODY_HANGS_UP, fault(Fault.Kind.STORE_SLOW, 10, 3));
    var invariant = new EndsAsPlanned(looks);
    assertThat(mayEnd(looks, invariant, Reason.NO_ACK, at(50))).isFalse();
    looks.now = at(11);
    invariant.over(0, true);
    looks.now = at(50);
    assertThat(mayEnd(looks, invariant, Reason.NO_ACK, at(50))).isTrue();
    assertThat(mayEnd(looks, invariant, Reason.NORMAL, at(50))).isTrue();
    assertThat(mayEnd(looks, invariant, Reason.MEDIA_LOST, at(50))).isFalse();
  }

  @Test
  void aCallerThatWasRefusedWhileTheStoreWasThereIsNotCalledFor() {
    var looks = new Looks(CallKind.NOBODY_HANGS_UP, fault(Fault.Kind.STORE_SLOW, 10, 3));
    var invariant = new EndsAsPlanned(looks);
    looks.now = at(30);
    invariant.over(0, true);
    assertThat(mayEnd(looks, invariant, Reason.NO_ACK, at(50))).isFalse();
  }

  @Test
  void aCallerThatHasHeardTheAnswerAcknowledgesIt() {
    var looks = new Looks(CallKind.NOBODY_HANGS_UP, fault(Fault.Kind.STORE_SLOW, 10, 3));
    var invariant = new EndsAsPlanned(looks);
    looks.now = at(11);
    invariant.up(0, true);
    invariant.over(0, true);
    assertThat(mayEnd(looks, invariant, Reason.NO_ACK, at(50))).isFalse();
  }
}
