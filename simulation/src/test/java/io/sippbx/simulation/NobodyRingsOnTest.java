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
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.net.Endpoint;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("nobody rings on")
class NobodyRingsOnTest {

  private static final Endpoint PHONE = Endpoint.of("127.0.2.1", 5060);

  private final Looks looks = new Looks(CallKind.BYE_WHILE_RINGING);
  private final NobodyRingsOn invariant = new NobodyRingsOn(looks);
  private final SipRequest invite =
      SipRequest.builder(Method.INVITE, SipUri.of("callee0", PHONE))
          .via(Via.of(TransportProtocol.UDP, Simulation.EDGE, new Branch("z9hG4bK-1")))
          .maxForwards(70)
          .from(NameAddr.of(SipUri.of("caller", Simulation.EDGE)).withTag(new Tag("from")))
          .to(NameAddr.of(SipUri.of("callee0", PHONE)))
          .callId(new CallId("edge"))
          .cSeq(1)
          .build();

  private void rings() {
    var time = VirtualLoops.inOrder();
    var network =
        new Network(
            time.loop("wire"),
            new Dice(1).of("network"),
            new Trace(time, Trace.OFF),
            looks.scenario(),
            sent -> {},
            heard -> {});
    SipResponse ringing = SipResponse.to(invite, 180).toTag(new Tag("to")).build();
    Network.Host phone = network.attach("callee0", PHONE, (message, by) -> {});
    invariant.heard(new Network.Sent(phone, Simulation.EDGE, ringing));
  }

  @Test
  void oneWhoseInviteExpiresWasHeardRinging() {
    rings();
    invariant.expired(0, "callee0", invite);
    assertThat(looks.violations).hasSize(1);
  }

  @Test
  void oneThatNobodyHeardRingsUntilThen() {
    invariant.expired(0, "callee0", invite);
    assertThat(looks.violations).isEmpty();
  }

  @Test
  @DisplayName("seed 75001499: the store lost the call, and its node died before it wrote it back")
  void nobodyKnowsOfACallThatIsForgotten() {
    looks.gone = true;
    rings();
    invariant.expired(0, "callee0", invite);
    assertThat(looks.violations).isEmpty();
  }
}
