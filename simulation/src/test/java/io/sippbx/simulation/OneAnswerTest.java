package io.sippbx.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Via;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("one answer to a request")
class OneAnswerTest {

  private static final Endpoint PHONE = Endpoint.of("127.0.1.1", 5060);

  private final Looks looks =
      new Looks(
          CallKind.CANCELLED_SOMETIME,
          new Fault(Duration.ofSeconds(10), Duration.ofSeconds(3), Fault.Kind.CUT_STORE, 0, 0));
  private final OneAnswer invariant = new OneAnswer(looks);

  /** A node answers the INVITE so many seconds after the first call could begin. */
  private void answers(int seconds, int status) {
    looks.now = Simulation.BEGIN.plusSeconds(seconds);
    SipRequest invite =
        SipRequest.builder(Method.INVITE, SipUri.of(Simulation.EDGE))
            .via(Via.of(TransportProtocol.UDP, PHONE, new Branch("z9hG4bK-1")))
            .maxForwards(70)
            .from(NameAddr.of(SipUri.of("caller", PHONE)).withTag(new Tag("from")))
            .to(NameAddr.of(SipUri.of("callee", Simulation.EDGE)))
            .callId(new CallId("call0@127.0.1.1"))
            .cSeq(1)
            .build();
    invariant.answers("c1#1", SipResponse.to(invite, status).toTag(new Tag("to")).build());
  }

  @Test
  void anotherAnswerViolatesIt() {
    answers(1, 200);
    answers(2, 200);
    assertThat(looks.violations).isEmpty();
    answers(3, 487);
    assertThat(looks.violations).isNotEmpty();
  }

  @Test
  @DisplayName("seed 71000520: 487, of which who said 200 then could not know, is said again")
  void aRefusalThatWentAheadIsSaidAgain() {
    answers(11, 487);
    answers(14, 200);
    answers(40, 487);
    assertThat(looks.violations).isEmpty();
    answers(41, 486);
    assertThat(looks.violations).as("but nothing else is").isNotEmpty();
  }

  @Test
  void aRefusalOfWhoHasHeardAnAnswerIsNotSaidAgain() {
    answers(1, 200);
    answers(11, 487);
    assertThat(looks.violations).as("its node may not live to say so").isEmpty();
    answers(40, 487);
    assertThat(looks.violations).isNotEmpty();
  }

  @Test
  void aRefusalThatWasWrittenIsTheAnswer() {
    answers(11, 487);
    answers(40, 487);
    assertThat(looks.violations).isEmpty();
    answers(41, 200);
    assertThat(looks.violations).isNotEmpty();
  }
}
