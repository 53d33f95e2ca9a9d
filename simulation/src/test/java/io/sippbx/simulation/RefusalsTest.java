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
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("a refusal of which nobody is left who knows")
class RefusalsTest {

  private final Set<String> running = new LinkedHashSet<>(List.of("c1#1"));
  private final Refusals refusals = new Refusals(running::contains);

  private static SipResponse answer(int status, int cSeq) {
    Endpoint phone = Endpoint.of("127.0.1.1", 5060);
    SipRequest invite =
        SipRequest.builder(Method.INVITE, SipUri.of(Simulation.EDGE))
            .via(Via.of(TransportProtocol.UDP, phone, new Branch("z9hG4bK-1")))
            .maxForwards(70)
            .from(NameAddr.of(SipUri.of("caller", phone)).withTag(new Tag("from")))
            .to(NameAddr.of(SipUri.of("callee", Simulation.EDGE)))
            .callId(new CallId("call7@127.0.1.1"))
            .cSeq(cSeq)
            .build();
    return SipResponse.to(invite, status).build();
  }

  @Test
  void isLostWithItsNode() {
    refusals.sent("c1#1", answer(487, 1));
    assertThat(refusals.isLost(7)).as("it lives, and is to write it down").isFalse();
    running.clear();
    assertThat(refusals.isLost(7)).isTrue();
    refusals.ended(7);
    assertThat(refusals.isLost(7)).as("whoever ends the call later").isTrue();
  }

  @Test
  void isNotLostOnceItIsWritten() {
    refusals.ended(7);
    refusals.sent("c1#1", answer(487, 1));
    running.clear();
    assertThat(refusals.isLost(7)).isFalse();
  }

  @Test
  void isNoneOfAnAnswerOrOfAReinvite() {
    refusals.sent("c1#1", answer(200, 1));
    refusals.sent("c1#1", answer(491, 2));
    running.clear();
    assertThat(refusals.isLost(7)).isFalse();
  }
}
