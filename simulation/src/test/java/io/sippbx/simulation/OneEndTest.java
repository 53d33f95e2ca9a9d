package io.sippbx.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.store.OutboxEvent;
import io.sippbx.proto.event.v1.Answered;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.Ended;
import io.sippbx.proto.event.v1.Started;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("exactly one end event a call")
class OneEndTest {

  private final Looks looks = new Looks(CallKind.CALLER_HANGS_UP);
  private final OneEnd invariant = new OneEnd(looks);

  private static CallEvent.Builder event(int seq, String id) {
    return CallEvent.newBuilder().setSeq(seq).setEventId(id).setCallKey(Looks.CALL.toString());
  }

  private void ends(int seq, String id) {
    CallEvent end = event(seq, id).setEnded(Ended.getDefaultInstance()).build();
    invariant.happened(Looks.CALL, end);
    invariant.arrived(new OutboxEvent.OfCall(end));
  }

  @BeforeEach
  void isAnsweredAndEnds() {
    invariant.happened(Looks.CALL, event(1, "a").setStarted(Started.getDefaultInstance()).build());
    invariant.happened(
        Looks.CALL, event(2, "b").setAnswered(Answered.getDefaultInstance()).build());
    ends(3, "c");
    invariant.atRest();
    assertThat(looks.violations).isEmpty();
  }

  @Test
  void aCallThatEndsAgainViolatesIt() {
    ends(3, "d");
    assertThat(looks.violations).isNotEmpty();
  }

  @Test
  void aCallWhoseEndNobodyRemembersEndsOnceMore() {
    looks.forgotten.add("c");
    ends(3, "d");
    invariant.atRest();
    assertThat(looks.violations).isEmpty();
    ends(3, "e");
    assertThat(looks.violations).as("but that is its end").isNotEmpty();
  }

  @Test
  void nothingIsTakenBackBeforeWhatNobodyRemembers() {
    looks.forgotten.add("c");
    ends(2, "d");
    assertThat(looks.violations).isNotEmpty();
  }
}
