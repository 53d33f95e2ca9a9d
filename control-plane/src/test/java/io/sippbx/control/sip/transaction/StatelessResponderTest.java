package io.sippbx.control.sip.transaction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Tag;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("answering without state (RFC 3261 8.2.7)")
class StatelessResponderTest {

  private final RecordingTransport transport = new RecordingTransport();
  private final StatelessResponder responder =
      new StatelessResponder(transport, request -> new Tag("of-" + request.callId()));
  private final SipRequest invite = Sip.request(Method.INVITE, "z9hG4bKi", "192.0.2.2");

  @Test
  void givesTheSameAnswerToTheSameRequest() {
    responder.overloaded(invite, Sip.UDP, Duration.ofSeconds(5));
    responder.overloaded(invite, Sip.UDP, Duration.ofSeconds(5));
    var sent = transport.take();
    assertThat(sent.get(0)).isEqualTo(sent.get(1));
    assertThat(sent.get(0).flow()).contains(Sip.UDP);
    SipResponse response = (SipResponse) Sip.parse(sent.get(0).message().toBytes());
    assertThat(response.status()).isEqualTo(503);
    assertThat(response.header(HeaderName.RETRY_AFTER)).contains("5");
    assertThat(response.toTag()).contains(new Tag("of-call"));
    assertThat(response.vias()).isEqualTo(invite.vias());
    assertThat(response.cSeq()).isEqualTo(invite.cSeq());
    assertThat(responder.sent()).isEqualTo(2);
  }

  @Test
  void retryAfterIsNeverZero() {
    responder.overloaded(invite, Sip.UDP, Duration.ofMillis(20));
    assertThat(transport.take().get(0).message().header(HeaderName.RETRY_AFTER)).contains("1");
  }

  @Test
  void keepsATagThatIsThere() {
    SipRequest inDialog = Sip.request(Method.BYE, "SIP/2.0/UDP 192.0.2.2", ";tag=ours", 3);
    responder.answer(inDialog, Sip.UDP, 481);
    assertThat(transport.take().get(0).message().toTag()).contains(new Tag("ours"));
  }

  @Test
  void neverAnswersAnAckAndNeverProvisionally() {
    responder.answer(Sip.request(Method.ACK, "z9hG4bKi", "192.0.2.2"), Sip.UDP, 481);
    assertThat(transport.take()).isEmpty();
    assertThatThrownBy(() -> responder.answer(invite, Sip.UDP, 100))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(responder.sent()).isZero();
  }

  @Test
  void countsWhatCouldNotBeSent() {
    transport.failFromNowOn();
    responder.answer(invite, Sip.UDP, 403);
    assertThat(responder.failed()).isEqualTo(1);
  }
}
