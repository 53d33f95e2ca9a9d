package io.sippbx.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.Via;
import io.sippbx.shared.net.Endpoint;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("a phone's dialog (RFC 3261 12)")
class DialogTest {

  private static final Via VIA =
      Via.parse("SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1").orElseThrow();
  private static final NameAddr CALLER_AT =
      NameAddr.of(SipUri.of("alice", Endpoint.of("127.0.0.1", 5_070)));
  private static final NameAddr CALLEE_AT =
      NameAddr.of(SipUri.of("bob", Endpoint.of("127.0.0.1", 5_080)));
  private static final NameAddr FIRST_PROXY = NameAddr.parse("<sip:p1.demo;lr>").orElseThrow();
  private static final NameAddr SECOND_PROXY = NameAddr.parse("<sip:p2.demo;lr>").orElseThrow();

  private static final SipRequest INVITE =
      SipRequest.builder(Method.INVITE, SipUri.of("bob", "pbx.demo"))
          .via(VIA)
          .from(NameAddr.of(SipUri.of("alice", "pbx.demo")).withTag(new Tag("a")))
          .to(NameAddr.of(SipUri.of("bob", "pbx.demo")))
          .callId(new CallId("1"))
          .cSeq(4)
          .contact(CALLER_AT)
          .recordRoute(SECOND_PROXY)
          .recordRoute(FIRST_PROXY)
          .build();

  private static final SipResponse ANSWER =
      SipResponse.to(INVITE, 200)
          .toTag(new Tag("b"))
          .recordRoute(SECOND_PROXY)
          .recordRoute(FIRST_PROXY)
          .contact(CALLEE_AT)
          .build();

  private final Dialog caller = Dialog.ofAnswer(INVITE, ANSWER).orElseThrow();
  private final Dialog callee = Dialog.ofInvite(INVITE, new Tag("b")).orElseThrow();

  @Test
  void goesToTheOtherSidesContactByTheRoutesBetween() {
    SipRequest bye = caller.request(Method.BYE, VIA).build();
    assertThat(bye.uri()).isEqualTo(CALLEE_AT.uri());
    assertThat(bye.routes()).isEqualTo(List.of(FIRST_PROXY, SECOND_PROXY));
    assertThat(bye.cSeq().number()).isEqualTo(5);
    SipRequest back = callee.request(Method.BYE, VIA).build();
    assertThat(back.uri()).isEqualTo(CALLER_AT.uri());
    assertThat(back.routes()).isEqualTo(List.of(SECOND_PROXY, FIRST_PROXY));
    assertThat(back.cSeq().number()).isEqualTo(1);
  }

  @Test
  void acknowledgesWithTheNumberOfTheInvite() {
    SipRequest ack = caller.request(Method.ACK, VIA).build();
    assertThat(ack.cSeq().number()).isEqualTo(4);
    assertThat(caller.sent(9).request(Method.ACK, VIA).build().cSeq().number()).isEqualTo(9);
  }

  @Test
  void holdsWhatTheOtherSideSends() {
    assertThat(callee.holds(caller.request(Method.BYE, VIA).build())).isTrue();
    assertThat(caller.holds(callee.request(Method.BYE, VIA).build())).isTrue();
    assertThat(callee.holds(INVITE)).isFalse();
    assertThat(callee.holds(callee.request(Method.BYE, VIA).build())).isFalse();
    SipRequest ofAnotherCall = caller.request(Method.BYE, VIA).callId(new CallId("2")).build();
    assertThat(callee.holds(ofAnotherCall)).isFalse();
  }

  @Test
  void followsANewContact() {
    SipRequest reinvite = callee.request(Method.INVITE, VIA).contact(CALLER_AT).build();
    assertThat(caller.refreshed(reinvite).target()).isEqualTo(CALLER_AT.uri());
    SipRequest bye = callee.request(Method.BYE, VIA).build();
    assertThat(caller.refreshed(bye).target()).isEqualTo(CALLEE_AT.uri());
  }

  @Test
  void needsATagAndAContact() {
    SipResponse.Builder answer = SipResponse.to(INVITE, 200).contact(CALLEE_AT);
    assertThat(Dialog.ofAnswer(INVITE, answer.build())).isEmpty();
    assertThat(Dialog.ofAnswer(INVITE, SipResponse.to(INVITE, 200).toTag(new Tag("b")).build()))
        .isEmpty();
  }
}
