package io.sippbx.control.sip.transaction;

import static io.sippbx.control.sip.transaction.Sip.PEER;
import static io.sippbx.control.sip.transaction.Sip.TCP;
import static io.sippbx.control.sip.transaction.Sip.UDP;
import static io.sippbx.control.sip.transaction.Sip.US;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transaction.RecordingTransport.Sent;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class TransactionLayerTest {

  private static final Destination TO_UDP = Destination.to(TransportProtocol.UDP, PEER);
  private static final Destination TO_TCP = Destination.to(TransportProtocol.TCP, PEER);
  private static final TransactionLimits LIMITS =
      new TransactionLimits(3, 3, 1, Duration.ofMinutes(5));

  private final VirtualLoops time = VirtualLoops.inOrder();
  private final VirtualLoop loop = time.loop("layer");
  private final RecordingTransport transport = new RecordingTransport();
  private final RecordingUser user = new RecordingUser();
  private final TransactionLayer layer =
      new TransactionLayer(loop, transport, user, TimerSettings.RFC_3261, LIMITS);

  /** Nothing is left when all timers have run out, in whatever way each test ends. */
  @AfterEach
  void leavesNothing() {
    time.runAll();
    assertThat(layer.counts().live().total()).isZero();
    assertThat(time.pending()).isZero();
  }

  @Nested
  @DisplayName("INVITE client (RFC 3261 17.1.1, RFC 6026 7.2)")
  class InviteClient {

    private final SipRequest invite = Sip.request(Method.INVITE, "z9hG4bKi", "192.0.2.1");

    @Test
    void repeatsTheSameBytesAtDoublingIntervalsAndGivesUpAfter64T1() {
      run(() -> layer.request(invite, TO_UDP));
      var at = new ArrayList<Long>();
      for (int ms = 0; ms <= 40_000; ms += 100) {
        for (Sent sent : transport.take()) {
          assertThat(sent.message()).isSameAs(invite);
          assertThat(sent.destination()).contains(TO_UDP);
          at.add((long) ms);
        }
        time.advance(Duration.ofMillis(100));
      }
      assertThat(at).containsExactly(0L, 500L, 1500L, 3500L, 7500L, 15_500L, 31_500L);
      assertThat(user.take()).containsExactly("failed INVITE TIMEOUT");
      assertThat(layer.counts().retransmissionsOut()).isEqualTo(6);
      assertThat(layer.counts().timeouts()).isEqualTo(1);
    }

    @Test
    void repeatsNothingOverAReliableTransport() {
      run(() -> layer.request(invite, TO_TCP));
      time.advance(Duration.ofSeconds(31));
      assertThat(transport.takeNames()).containsExactly("INVITE");
      assertThat(user.take()).isEmpty();
      time.advance(Duration.ofSeconds(1));
      assertThat(user.take()).containsExactly("failed INVITE TIMEOUT");
    }

    @Test
    void provisionalStopsRepeatsAndTheWaitForAnAnswer() {
      run(() -> layer.request(invite, TO_UDP));
      receive(Sip.response(invite, 180));
      transport.take();
      time.advance(Duration.ofSeconds(100));
      assertThat(transport.take()).isEmpty();
      assertThat(user.take()).containsExactly("response 180 to INVITE");
      receive(Sip.response(invite, 200));
      assertThat(user.take()).containsExactly("response 200 to INVITE");
    }

    @Test
    void acknowledgesAFailureItselfAndEachRepeatOfIt() {
      SipRequest routed =
          invite.toBuilder()
              .addHeader(HeaderName.ROUTE, "<sip:proxy.example.com;lr>")
              .addHeader(HeaderName.ROUTE, "<sip:192.0.2.9;lr>")
              .addHeader(HeaderName.REQUIRE, "timer")
              .addHeader(
                  HeaderName.PROXY_AUTHORIZATION,
                  "Digest username=\"a\",realm=\"r\",nonce=\"n\",uri=\"sip:x\",response=\"0\"")
              .build();
      run(() -> layer.request(routed, TO_UDP));
      receive(Sip.response(routed, 486));
      List<Sent> sent = transport.take();
      assertThat(sent).hasSize(2);
      assertThat(sent.get(1).destination()).contains(TO_UDP);
      SipRequest ack = (SipRequest) Sip.parse(sent.get(1).message().toBytes());
      assertThat(ack.method()).isEqualTo(Method.ACK);
      assertThat(ack.uri()).isEqualTo(routed.uri());
      assertThat(ack.vias()).containsExactly(routed.topVia());
      assertThat(ack.from()).isEqualTo(routed.from());
      assertThat(ack.toTag().orElseThrow().value()).isEqualTo("b");
      assertThat(ack.callId()).isEqualTo(routed.callId());
      assertThat(ack.cSeq().number()).isEqualTo(1);
      assertThat(ack.headers(HeaderName.ROUTE)).isEqualTo(routed.headers(HeaderName.ROUTE));
      assertThat(ack.headers(HeaderName.PROXY_AUTHORIZATION)).hasSize(1);
      assertThat(ack.hasHeader(HeaderName.REQUIRE)).isFalse();
      receive(Sip.response(routed, 486));
      assertThat(transport.take().get(0).message()).isEqualTo(sent.get(1).message());
      assertThat(user.take()).containsExactly("response 486 to INVITE");
      assertThat(layer.counts().retransmissionsIn()).isEqualTo(1);
      assertThat(layer.counts().retransmissionsOut()).isEqualTo(1);
      time.advance(Duration.ofSeconds(31));
      receive(Sip.response(routed, 486));
      assertThat(transport.takeNames()).containsExactly("ACK");
      time.advance(Duration.ofSeconds(1));
      receive(Sip.response(routed, 486));
      assertThat(transport.takeNames()).isEmpty();
      assertThat(user.take()).containsExactly("stray 486");
    }

    @Test
    void acknowledgesAFailureOnlyWhenItsUserWillNotForgetIt() {
      user.acknowledgesLater = true;
      run(() -> layer.request(invite, TO_UDP));
      SipResponse busy = Sip.response(invite, 486);
      receive(busy);
      time.advance(Duration.ofSeconds(3));
      receive(busy);
      assertThat(transport.takeNames()).containsExactly("INVITE");
      assertThat(user.take()).containsExactly("response 486 to INVITE", "response 486 to INVITE");
      run(() -> layer.acknowledge(busy, Optional.empty(), TO_UDP));
      run(() -> layer.acknowledge(busy, Optional.empty(), TO_UDP));
      assertThat(transport.takeNames()).containsExactly("ACK");
      receive(busy);
      assertThat(transport.takeNames()).containsExactly("ACK");
      assertThat(user.take()).isEmpty();
    }

    @Test
    void keepsAFailureThatIsNotAcknowledgedYetOverAReliableTransport() {
      user.acknowledgesLater = true;
      run(() -> layer.request(invite, TO_TCP));
      SipResponse busy = Sip.response(invite, 486);
      receive(busy);
      time.advance(Duration.ofSeconds(40));
      assertThat(transport.takeNames()).containsExactly("INVITE");
      run(() -> layer.acknowledge(busy, Optional.empty(), TO_TCP));
      time.runReady();
      assertThat(transport.takeNames()).containsExactly("ACK");
      assertThat(layer.counts().live().total()).isZero();
    }

    @Test
    void acknowledgesAFailureWhoseTransactionIsGoneFromTheInviteThatItAnswers() {
      SipResponse busy = Sip.response(invite, 486);
      run(() -> layer.acknowledge(busy, Optional.empty(), TO_UDP));
      assertThat(transport.take()).isEmpty();
      run(() -> layer.acknowledge(busy, Optional.of(invite), TO_UDP));
      List<Sent> sent = transport.take();
      assertThat(sent).hasSize(1);
      assertThat(sent.getFirst().message().topVia()).isEqualTo(invite.topVia());
    }

    @Test
    void endsAtOnceAfterAFailureOverAReliableTransport() {
      run(() -> layer.request(invite, TO_TCP));
      receive(Sip.response(invite, 404));
      time.runReady();
      assertThat(layer.counts().live().total()).isZero();
      assertThat(transport.takeNames()).containsExactly("INVITE", "ACK");
    }

    @Test
    void passesEach2xxUpUntilTimerM() {
      run(() -> layer.request(invite, TO_UDP));
      receive(Sip.response(invite, 200));
      receive(Sip.response(invite, 200));
      receive(Sip.response(invite, 180));
      receive(Sip.response(invite, 486));
      time.advance(Duration.ofMillis(31_999));
      receive(Sip.response(invite, 200));
      assertThat(user.take())
          .containsExactly(
              "response 200 to INVITE", "response 200 to INVITE", "response 200 to INVITE");
      time.advance(Duration.ofMillis(1));
      receive(Sip.response(invite, 200));
      assertThat(user.take()).containsExactly("stray 200");
      assertThat(transport.takeNames()).containsExactly("INVITE");
    }

    @Test
    void keepsTimerMOverAReliableTransportToo() {
      run(() -> layer.request(invite, TO_TCP));
      receive(Sip.response(invite, 200));
      user.take();
      time.advance(Duration.ofSeconds(31));
      receive(Sip.response(invite, 200));
      assertThat(user.take()).containsExactly("response 200 to INVITE");
    }

    @Test
    void failsWhenTheRequestCannotBeSentNeverWithinTheCall() {
      transport.failFromNowOn();
      run(
          () -> {
            layer.request(invite, TO_TCP);
            assertThat(user.take()).isEmpty();
          });
      assertThat(user.take()).containsExactly("failed INVITE TRANSPORT");
      assertThat(layer.counts().live().total()).isZero();
      assertThat(layer.counts().transportFailures()).isEqualTo(1);
    }

    @Test
    void isGivenUp64T1AfterItsCancel() {
      run(() -> layer.request(invite, TO_UDP));
      receive(Sip.response(invite, 180));
      time.advance(Duration.ofSeconds(60));
      SipRequest cancel = CancelRequest.of(invite);
      run(() -> layer.request(cancel, TO_UDP));
      receive(Sip.response(cancel, 200));
      user.take();
      time.advance(Duration.ofMillis(31_999));
      assertThat(user.take()).isEmpty();
      time.advance(Duration.ofMillis(1));
      assertThat(user.take()).containsExactly("failed INVITE TIMEOUT");
    }

    @Test
    void tellsTheResponsesToItsCancelFromItsOwn() {
      run(() -> layer.request(invite, TO_UDP));
      receive(Sip.response(invite, 180));
      SipRequest cancel = CancelRequest.of(invite);
      assertThat(cancel.topVia()).isEqualTo(invite.topVia());
      run(() -> layer.request(cancel, TO_UDP));
      receive(Sip.response(cancel, 200));
      receive(Sip.response(invite, 487));
      assertThat(user.take())
          .containsExactly(
              "response 180 to INVITE", "response 200 to CANCEL", "response 487 to INVITE");
      assertThat(transport.takeNames()).containsExactly("INVITE", "CANCEL", "ACK");
    }

    @Test
    void ringsNoLongerThanTheLongestWait() {
      run(() -> layer.request(invite, TO_UDP));
      receive(Sip.response(invite, 180));
      user.take();
      time.advance(LIMITS.longestWait().minusMillis(1));
      assertThat(user.take()).isEmpty();
      time.advance(Duration.ofMillis(1));
      assertThat(user.take()).containsExactly("failed INVITE TIMEOUT");
    }

    @Test
    void goesOnWhereAnotherNodeLeftOff() {
      SipRequest stored = (SipRequest) Sip.parse(invite.toBytes());
      run(() -> layer.resumeClient(stored, TO_UDP, Duration.ofSeconds(2)));
      time.advance(Duration.ofMillis(1600));
      assertThat(transport.takeNames()).containsExactly("INVITE", "INVITE", "INVITE");
      time.advance(Duration.ofMillis(400));
      assertThat(user.take()).containsExactly("failed INVITE TIMEOUT");
    }

    @Test
    void acknowledgesAfterTakeOverAsIfItHadBegun() {
      run(() -> layer.resumeClient(invite, TO_TCP, Duration.ofSeconds(2)));
      receive(Sip.response(invite, 180));
      time.advance(Duration.ofSeconds(60));
      receive(Sip.response(invite, 603));
      assertThat(transport.takeNames()).containsExactly("INVITE", "ACK");
      assertThat(user.take()).containsExactly("response 180 to INVITE", "response 603 to INVITE");
    }

    @Test
    void isNotSentAgainOnceItWasCancelledButItsFinalResponseIsAcknowledged() {
      run(() -> layer.awaitFinal(invite, TO_UDP, SendPermit.ALWAYS));
      run(() -> layer.resumeClient(CancelRequest.of(invite), TO_UDP, Duration.ofSeconds(32)));
      receive(Sip.response(invite, 487));
      assertThat(transport.takeNames()).containsExactly("CANCEL", "ACK");
      assertThat(user.take()).containsExactly("response 487 to INVITE");
    }

    @Test
    void waitsNoLongerThanItsCancelWhereNoFinalResponseComes() {
      run(() -> layer.awaitFinal(invite, TO_UDP, SendPermit.ALWAYS));
      run(() -> layer.resumeClient(CancelRequest.of(invite), TO_UDP, Duration.ofSeconds(32)));
      receive(Sip.response(CancelRequest.of(invite), 200));
      user.take();
      time.advance(TimerSettings.RFC_3261.patience());
      assertThat(user.take()).containsExactly("failed INVITE TIMEOUT");
    }

    @Test
    void failsAtOnceWhenTakenOverAfterItsDeadline() {
      run(() -> layer.resumeClient(invite, TO_UDP, Duration.ofSeconds(-3)));
      assertThat(user.take()).containsExactly("failed INVITE TIMEOUT");
    }
  }

  @Nested
  @DisplayName("non-INVITE client (RFC 3261 17.1.2)")
  class NonInviteClient {

    private final SipRequest bye = Sip.request(Method.BYE, "z9hG4bKn", "192.0.2.1");

    @Test
    void repeatsAtIntervalsUpToT2() {
      run(() -> layer.request(bye, TO_UDP));
      var at = new ArrayList<Long>();
      for (int ms = 0; ms <= 40_000; ms += 100) {
        for (int i = transport.take().size(); i > 0; i--) {
          at.add((long) ms);
        }
        time.advance(Duration.ofMillis(100));
      }
      assertThat(at)
          .containsExactly(
              0L, 500L, 1500L, 3500L, 7500L, 11_500L, 15_500L, 19_500L, 23_500L, 27_500L, 31_500L);
      assertThat(user.take()).containsExactly("failed BYE TIMEOUT");
    }

    @Test
    void repeatsEveryT2AfterAProvisional() {
      run(() -> layer.request(bye, TO_UDP));
      receive(Sip.response(bye, 100));
      time.advance(Duration.ofMillis(500));
      assertThat(transport.take()).hasSize(2);
      time.advance(Duration.ofMillis(3999));
      assertThat(transport.take()).isEmpty();
      time.advance(Duration.ofMillis(1));
      assertThat(transport.take()).hasSize(1);
    }

    @Test
    void absorbsRepeatsOfTheFinalResponseUntilTimerK() {
      run(() -> layer.request(bye, TO_UDP));
      receive(Sip.response(bye, 200));
      receive(Sip.response(bye, 200));
      time.advance(Duration.ofMillis(4999));
      receive(Sip.response(bye, 200));
      assertThat(user.take()).containsExactly("response 200 to BYE");
      assertThat(layer.counts().retransmissionsIn()).isEqualTo(2);
      time.advance(Duration.ofMillis(1));
      receive(Sip.response(bye, 200));
      assertThat(user.take()).containsExactly("stray 200");
      assertThat(layer.counts().strayResponses()).isEqualTo(1);
    }

    @Test
    void failsWhenARepeatCannotBeSent() {
      run(() -> layer.request(bye, TO_UDP));
      transport.failFromNowOn();
      time.advance(Duration.ofMillis(500));
      assertThat(user.take()).containsExactly("failed BYE TRANSPORT");
    }
  }

  @Nested
  @DisplayName("INVITE server (RFC 3261 17.2.1, RFC 6026 7.1)")
  class InviteServer {

    private final SipRequest invite = Sip.request(Method.INVITE, "z9hG4bKi", "192.0.2.2:5060");
    private final ServerTransactionId id = ServerTransactionId.of(invite);

    @Test
    void sendsNo100ByItselfAndAbsorbsRepeatsBeforeAnyResponse() {
      receive(invite);
      receive(invite);
      time.advance(Duration.ofSeconds(10));
      receive(invite);
      assertThat(transport.take()).isEmpty();
      assertThat(user.take()).containsExactly("request INVITE");
      assertThat(layer.counts().retransmissionsIn()).isEqualTo(2);
    }

    @Test
    void answersRepeatsWithTheLastProvisional() {
      receive(invite);
      respond(id, Sip.response(invite, 100));
      respond(id, Sip.response(invite, 180));
      receive(invite);
      List<Sent> sent = transport.take();
      assertThat(sent.stream().map(one -> RecordingTransport.name(one.message())))
          .containsExactly("100", "180", "180");
      assertThat(sent.get(2).flow()).contains(UDP);
    }

    @Test
    void repeatsAFailureUntilItsAckOfWhichTheUserIsToldOnce() {
      receive(invite);
      respond(id, Sip.response(invite, 486));
      time.advance(Duration.ofSeconds(8));
      assertThat(transport.takeNames()).containsExactly("486", "486", "486", "486", "486");
      receive(ackOf(invite));
      receive(ackOf(invite));
      receive(invite);
      time.advance(Duration.ofMillis(4999));
      assertThat(transport.take()).isEmpty();
      assertThat(user.take()).containsExactly("request INVITE", "acknowledged b");
      time.advance(Duration.ofMillis(1));
      assertThat(user.take()).containsExactly("ended INVITE DONE");
    }

    @Test
    void saysWhenAFailureIsNeverAcknowledged() {
      receive(invite);
      respond(id, Sip.response(invite, 486));
      time.advance(Duration.ofSeconds(32));
      assertThat(user.take()).containsExactly("request INVITE", "ended INVITE NO_ACK");
      assertThat(transport.take()).hasSize(11);
      assertThat(layer.counts().timeouts()).isEqualTo(1);
    }

    @Test
    void repeatsNoFailureOverAReliableTransport() {
      receive(invite, TCP);
      respond(id, Sip.response(invite, 486));
      time.advance(Duration.ofSeconds(20));
      assertThat(transport.takeNames()).containsExactly("486");
      receive(ackOf(invite), TCP);
      time.runReady();
      assertThat(user.take())
          .containsExactly("request INVITE", "acknowledged b", "ended INVITE DONE");
    }

    @Test
    void absorbsRepeatsOfTheInviteAfterA2xxUntilTimerL() {
      receive(invite);
      respond(id, Sip.response(invite, 200));
      receive(invite);
      time.advance(Duration.ofMillis(31_999));
      receive(invite);
      assertThat(transport.takeNames()).containsExactly("200");
      assertThat(user.take()).containsExactly("request INVITE");
      time.advance(Duration.ofMillis(1));
      assertThat(user.take()).containsExactly("ended INVITE DONE");
    }

    @Test
    void sendsThe2xxAgainOnlyWhenTheUserDoes() {
      receive(invite);
      respond(id, Sip.response(invite, 200));
      respond(id, Sip.response(invite, 200));
      assertThat(transport.takeNames()).containsExactly("200", "200");
      assertThat(layer.counts().retransmissionsOut()).isEqualTo(1);
    }

    @Test
    void passesTheAckOfA2xxUpWithAndWithoutTheBranchOfTheInvite() {
      receive(invite);
      respond(id, Sip.response(invite, 200));
      user.take();
      receive(Sip.request(Method.ACK, "z9hG4bKother", "192.0.2.2:5060"));
      receive(ackOf(invite), TCP);
      assertThat(user.take()).containsExactly("ack over UDP", "ack over TCP");
    }

    @Test
    void passesTheAckOfAForgottenFailureUp() {
      receive(ackOf(invite));
      assertThat(user.take()).containsExactly("ack over UDP");
    }

    @Test
    void takesNoSecondFinalResponse() {
      receive(invite);
      assertThat(respond(id, Sip.response(invite, 486))).isTrue();
      assertThat(respond(id, Sip.response(invite, 200))).isFalse();
      receive(invite);
      assertThat(transport.takeNames()).containsExactly("486", "486");
      assertThat(layer.counts().lateAnswers()).isEqualTo(1);
    }

    @Test
    void staysWhenAResponseCannotBeSentSoThatRepeatsAreAbsorbed() {
      receive(invite);
      transport.failFromNowOn();
      respond(id, Sip.response(invite, 200));
      time.runReady();
      receive(invite);
      assertThat(user.take()).containsExactly("request INVITE", "not sent INVITE UNREACHABLE");
      assertThat(layer.counts().live().inviteServer()).isEqualTo(1);
    }

    @Test
    void endsWhenTheUserNeverAnswers() {
      receive(invite);
      time.advance(LIMITS.longestWait());
      assertThat(user.take()).containsExactly("request INVITE", "ended INVITE NO_ANSWER");
    }

    @Test
    void isToldToTheUserOfItsCancel() {
      receive(invite);
      receive(cancelOf(invite));
      receive(cancelOf(invite));
      assertThat(user.take()).containsExactly("request INVITE", "cancel of " + id);
      respond(ServerTransactionId.of(cancelOf(invite)), Sip.response(cancelOf(invite), 200));
      respond(id, Sip.response(invite, 487));
      receive(cancelOf(invite));
      assertThat(transport.takeNames()).containsExactly("200", "487", "200");
    }

    @Test
    void cancelThatMatchesNothingIsStillATransaction() {
      receive(cancelOf(invite));
      receive(cancelOf(invite));
      assertThat(user.take()).containsExactly("cancel of nothing");
      respond(ServerTransactionId.of(cancelOf(invite)), Sip.response(cancelOf(invite), 481));
      assertThat(transport.takeNames()).containsExactly("481");
    }

    @Test
    void answersARepeatWhereThePeerIsNowButNotAnotherHost() {
      receive(invite);
      respond(id, Sip.response(invite, 180));
      Flow moved = Flow.udp(US, PEER.withPort(40_000));
      receive(invite, Flow.udp(US, Endpoint.of("198.51.100.1", 5060)));
      receive(invite, moved);
      respond(id, Sip.response(invite, 486));
      assertThat(transport.take().stream().map(one -> one.flow().orElseThrow()))
          .containsExactly(UDP, UDP, moved, moved);
    }

    @Test
    void goesOnAfterTakeOverBeforeAnyResponse() {
      run(() -> layer.resumeServer(id, UDP, Optional.empty()));
      receive(invite);
      assertThat(user.take()).isEmpty();
      respond(id, Sip.response(invite, 180));
      assertThat(transport.takeNames()).containsExactly("180");
    }

    @Test
    void goesOnAfterTakeOverWithAProvisionalForRepeats() {
      run(() -> layer.resumeServer(id, UDP, Optional.of(Sip.response(invite, 180))));
      assertThat(transport.take()).isEmpty();
      receive(invite);
      assertThat(transport.takeNames()).containsExactly("180");
    }

    @Test
    void sendsAFailureAgainAfterTakeOverAndTakesItsAck() {
      run(() -> layer.resumeServer(id, UDP, Optional.of(Sip.response(invite, 486))));
      time.advance(Duration.ofMillis(500));
      assertThat(transport.takeNames()).containsExactly("486", "486");
      receive(ackOf(invite));
      time.advance(Duration.ofSeconds(10));
      assertThat(transport.take()).isEmpty();
      assertThat(user.take()).containsExactly("acknowledged b", "ended INVITE DONE");
    }

    @Test
    void leavesA2xxToTheUserAfterTakeOver() {
      run(() -> layer.resumeServer(id, UDP, Optional.of(Sip.response(invite, 200))));
      receive(invite);
      assertThat(transport.take()).isEmpty();
      assertThat(respond(id, Sip.response(invite, 200))).isTrue();
      assertThat(transport.takeNames()).containsExactly("200");
      assertThat(user.take()).isEmpty();
    }

    private SipRequest ackOf(SipRequest of) {
      return FailureAck.of(of, Sip.response(of, 486));
    }
  }

  @Nested
  @DisplayName("non-INVITE server (RFC 3261 17.2.2)")
  class NonInviteServer {

    private final SipRequest options = Sip.request(Method.OPTIONS, "z9hG4bKo", "192.0.2.2");
    private final ServerTransactionId id = ServerTransactionId.of(options);

    @Test
    void answersRepeatsWithTheSameResponseUntilTimerJ() {
      receive(options);
      receive(options);
      assertThat(transport.take()).isEmpty();
      respond(id, Sip.response(options, 200));
      receive(options);
      time.advance(Duration.ofMillis(31_999));
      receive(options);
      assertThat(transport.takeNames()).containsExactly("200", "200", "200");
      assertThat(user.take()).containsExactly("request OPTIONS");
      time.advance(Duration.ofMillis(1));
      receive(options);
      assertThat(user.take()).containsExactly("ended OPTIONS DONE", "request OPTIONS");
    }

    @Test
    void endsAtOnceOverAReliableTransport() {
      receive(options, TCP);
      respond(id, Sip.response(options, 200));
      time.runReady();
      assertThat(user.take()).containsExactly("request OPTIONS", "ended OPTIONS DONE");
    }

    @Test
    void answersRepeatsAlthoughAResponseCouldNotBeSent() {
      receive(options);
      transport.failFromNowOn();
      respond(id, Sip.response(options, 200));
      time.runReady();
      receive(options);
      time.runReady();
      assertThat(user.take())
          .containsExactly(
              "request OPTIONS", "not sent OPTIONS UNREACHABLE", "not sent OPTIONS UNREACHABLE");
    }

    @Test
    void sendsAFinalResponseAgainAfterTakeOver() {
      run(() -> layer.resumeServer(id, UDP, Optional.of(Sip.response(options, 200))));
      receive(options);
      assertThat(transport.takeNames()).containsExactly("200", "200");
    }

    @Test
    void takingOverTwiceIsTakingOverOnce() {
      run(() -> layer.resumeServer(id, UDP, Optional.of(Sip.response(options, 200))));
      run(() -> layer.resumeServer(id, UDP, Optional.of(Sip.response(options, 200))));
      assertThat(transport.takeNames()).containsExactly("200");
      assertThat(layer.counts().created().total()).isEqualTo(1);
    }
  }

  @Nested
  @DisplayName("matching requests (RFC 3261 17.2.3)")
  class MatchingRequests {

    @Test
    void branchSentByAndMethodTellTransactionsApart() {
      receive(Sip.request(Method.OPTIONS, "z9hG4bK1", "192.0.2.2"));
      receive(Sip.request(Method.OPTIONS, "z9hG4bK2", "192.0.2.2"));
      receive(Sip.request(Method.OPTIONS, "z9hG4bK1", "192.0.2.2:5062"));
      receive(Sip.request(Method.BYE, "z9hG4bK1", "192.0.2.2"));
      assertThat(user.take())
          .containsExactly("request OPTIONS", "request OPTIONS", "request OPTIONS", "request BYE");
    }

    @Test
    void sentByIsComparedWithoutCaseAndWithTheDefaultPort() {
      receive(Sip.request(Method.OPTIONS, "z9hG4bK1", "Phone.Example.COM"));
      receive(Sip.request(Method.OPTIONS, "z9hG4bK1", "phone.example.com:5060"));
      receive(Sip.request(Method.BYE, "SIP/2.0/TLS phone.example.com;branch=z9hG4bKt", "", 1));
      receive(Sip.request(Method.BYE, "SIP/2.0/TLS PHONE.example.com:5061;branch=z9hG4bKt", "", 1));
      receive(Sip.request(Method.BYE, "z9hG4bK6", "[2001:DB8::1]"));
      receive(Sip.request(Method.BYE, "z9hG4bK6", "[2001:db8::1]:5060"));
      assertThat(user.take()).containsExactly("request OPTIONS", "request BYE", "request BYE");
    }

    @Test
    void requestWithoutTheCookieIsMatchedAsRfc2543Says() {
      String via = "SIP/2.0/UDP old.example.com:5060";
      receive(Sip.request(Method.INVITE, via, "", 1));
      receive(Sip.request(Method.INVITE, via, "", 1));
      receive(Sip.request(Method.INVITE, via + ";received=192.0.2.2;rport=9", "", 1));
      receive(Sip.request(Method.INVITE, via + ";branch=z9hG4bK", "", 1));
      receive(Sip.request(Method.INVITE, via, "", 2));
      assertThat(user.take()).containsExactly("request INVITE", "request INVITE", "request INVITE");
    }

    @Test
    void cancelAndAckWithoutTheCookieFindTheirInvite() {
      String via = "SIP/2.0/UDP old.example.com:5060;branch=1";
      SipRequest invite = Sip.request(Method.INVITE, via, "", 1);
      ServerTransactionId id = ServerTransactionId.of(invite);
      receive(invite);
      receive(Sip.request(Method.CANCEL, via, "", 1));
      assertThat(user.take()).containsExactly("request INVITE", "cancel of " + id);
      respond(id, Sip.response(invite, 487));
      receive(Sip.request(Method.ACK, via, ";tag=somebody-else", 1));
      assertThat(user.take()).containsExactly("ack over UDP");
      receive(Sip.request(Method.ACK, via, ";tag=b", 1));
      assertThat(user.take()).containsExactly("acknowledged b");
      time.advance(Duration.ofSeconds(5));
      assertThat(user.take()).contains("ended INVITE DONE");
    }
  }

  @Nested
  @DisplayName("matching responses (RFC 3261 17.1.3)")
  class MatchingResponses {

    private final SipRequest bye = Sip.request(Method.BYE, "z9hG4bKn", "192.0.2.1");

    @Test
    void branchAndMethodMustBothBeRight() {
      run(() -> layer.request(bye, TO_UDP));
      receive(Sip.response(Sip.request(Method.BYE, "z9hG4bKx", "192.0.2.1"), 200));
      receive(Sip.response(Sip.request(Method.INFO, "z9hG4bKn", "192.0.2.1"), 200));
      assertThat(user.take()).containsExactly("stray 200", "stray 200");
      receive(Sip.response(bye, 200));
      assertThat(user.take()).containsExactly("response 200 to BYE");
    }

    @Test
    void dropsAndCountsWhatCannotBeOurs() {
      run(() -> layer.request(bye, TO_UDP));
      SipResponse ok = Sip.response(bye, 200);
      receive(ok.toBuilder().via(bye.topVia()).build());
      receive(Sip.response(Sip.request(Method.BYE, "SIP/2.0/UDP 192.0.2.1", "", 1), 200));
      assertThat(user.take()).isEmpty();
      assertThat(layer.counts().malformed()).isEqualTo(2);
    }
  }

  @Nested
  @DisplayName("limits (law 6)")
  class Limits {

    @Test
    void refusesNewRequestsAboveTheLimitButHearsRepeatsAndWhatEndsSomething() {
      for (int i = 0; i < 3; i++) {
        receive(Sip.request(Method.INVITE, "z9hG4bK" + i, "192.0.2.2"));
      }
      user.take();
      receive(Sip.request(Method.INVITE, "z9hG4bK3", "192.0.2.2"));
      receive(Sip.request(Method.INVITE, "z9hG4bK1", "192.0.2.2"));
      receive(Sip.request(Method.BYE, "z9hG4bK4", "192.0.2.2"));
      receive(Sip.request(Method.BYE, "z9hG4bK5", "192.0.2.2"));
      receive(Sip.request(Method.ACK, "z9hG4bK6", "192.0.2.2"));
      assertThat(user.take())
          .containsExactly("refused INVITE", "request BYE", "refused BYE", "ack over UDP");
      assertThat(layer.counts().refusedRequests()).isEqualTo(2);
      assertThat(layer.counts().live().total()).isEqualTo(4);
    }

    @Test
    void failsOurRequestsAboveTheLimit() {
      for (int i = 0; i < 4; i++) {
        SipRequest info = Sip.request(Method.INFO, "z9hG4bK" + i, "192.0.2.1");
        run(
            () -> {
              layer.request(info, TO_UDP);
              assertThat(user.told()).as("never within the call").isEmpty();
            });
      }
      SipRequest bye = Sip.request(Method.BYE, "z9hG4bKb", "192.0.2.1");
      run(() -> layer.request(bye, TO_UDP));
      assertThat(user.take()).containsExactly("failed INFO LIMIT");
      assertThat(transport.takeNames()).containsExactly("INFO", "INFO", "INFO", "BYE");
      assertThat(layer.counts().refusedSends()).isEqualTo(1);
    }

    @Test
    void takesOverNoMoreThanThereIsRoomFor() {
      for (int i = 0; i < 5; i++) {
        ServerTransactionId id =
            ServerTransactionId.of(Sip.request(Method.INVITE, "z9hG4bK" + i, "192.0.2.2"));
        boolean expected = i < 4;
        run(() -> assertThat(layer.resumeServer(id, UDP, Optional.empty())).isEqualTo(expected));
      }
    }
  }

  @Nested
  class BrokenContracts {

    @Test
    void refusesToBeCalledOffItsLoop() {
      SipRequest bye = Sip.request(Method.BYE, "z9hG4bKn", "192.0.2.1");
      assertThatThrownBy(() -> layer.request(bye, TO_UDP))
          .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void refusesRequestsWithoutABranchAndAck() {
      SipRequest bare = Sip.request(Method.BYE, "SIP/2.0/UDP 192.0.2.1", "", 1);
      SipRequest ack = Sip.request(Method.ACK, "z9hG4bKa", "192.0.2.1");
      run(
          () -> {
            assertThatThrownBy(() -> layer.request(bare, TO_UDP))
                .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> layer.request(ack, TO_UDP))
                .isInstanceOf(IllegalArgumentException.class);
          });
    }

    @Test
    void refusesAResponseToAnotherMethod() {
      SipRequest bye = Sip.request(Method.BYE, "z9hG4bKn", "192.0.2.1");
      receive(bye);
      SipRequest info = Sip.request(Method.INFO, "z9hG4bKn", "192.0.2.1");
      run(
          () ->
              assertThatThrownBy(
                      () -> layer.respond(ServerTransactionId.of(bye), Sip.response(info, 200)))
                  .isInstanceOf(IllegalArgumentException.class));
    }
  }

  @Test
  void sendsARequestThatIsOpenAlreadyOnlyOnce() {
    SipRequest bye = Sip.request(Method.BYE, "z9hG4bKn", "192.0.2.1");
    run(() -> layer.request(bye, TO_UDP));
    run(() -> layer.request(bye, TO_UDP));
    assertThat(transport.takeNames()).containsExactly("BYE");
  }

  @Test
  void sendsTheAckOfA2xxWithoutATransaction() {
    SipRequest ack = Sip.request(Method.ACK, "z9hG4bKa", "192.0.2.1");
    run(() -> layer.sendStateless(ack, TO_UDP));
    assertThat(transport.take().get(0).destination()).contains(TO_UDP);
    transport.failFromNowOn();
    run(() -> layer.sendStateless(ack, TO_UDP));
    assertThat(layer.counts().transportFailures()).isEqualTo(1);
    assertThat(layer.counts().created().total()).isZero();
  }

  @Test
  void forgetsWithoutAWord() {
    SipRequest bye = Sip.request(Method.BYE, "z9hG4bKn", "192.0.2.1");
    SipRequest invite = Sip.request(Method.INVITE, "z9hG4bKi", "192.0.2.2");
    ClientTransactionId client = ClientTransactionId.of(bye).orElseThrow();
    ServerTransactionId server = ServerTransactionId.of(invite);
    run(() -> layer.request(bye, TO_UDP));
    receive(invite);
    user.take();
    run(
        () -> {
          assertThat(layer.holds(client)).isTrue();
          assertThat(layer.holds(server)).isTrue();
          layer.forget(client);
          layer.forget(server);
          layer.forget(client);
          layer.forget(server);
          assertThat(layer.holds(client)).isFalse();
          assertThat(layer.holds(server)).isFalse();
          assertThat(layer.respond(server, Sip.response(invite, 200))).isFalse();
        });
    assertThat(time.pending()).isZero();
    assertThat(user.take()).isEmpty();
  }

  /** A look-up that walked the table would take minutes here. */
  @Test
  void holdsManyAndLetsGoOfAll() {
    int many = 50_000;
    var manyLimits = new TransactionLimits(many, many, 0, Duration.ofMinutes(5));
    var full = new TransactionLayer(loop, transport, user, TimerSettings.RFC_3261, manyLimits);
    run(
        () -> {
          for (int i = 0; i < many; i++) {
            full.request(Sip.request(Method.BYE, "z9hG4bK" + i, "192.0.2.1"), TO_UDP);
            full.receive(Sip.request(Method.INVITE, "z9hG4bK" + i, "192.0.2.2"), UDP);
          }
        });
    assertThat(full.counts().live().total()).isEqualTo(2L * many);
    run(
        () -> {
          for (int i = 0; i < many; i++) {
            SipRequest bye = Sip.request(Method.BYE, "z9hG4bK" + i, "192.0.2.1");
            SipRequest invite = Sip.request(Method.INVITE, "z9hG4bK" + i, "192.0.2.2");
            full.receive(Sip.response(bye, 200), UDP);
            full.respond(ServerTransactionId.of(invite), Sip.response(invite, 200));
          }
        });
    assertThat(time.pending()).isEqualTo(many + many);
    time.advance(Duration.ofSeconds(32));
    assertThat(full.counts().live().total()).isZero();
    assertThat(full.counts().created().total()).isEqualTo(2L * many);
    assertThat(time.pending()).isZero();
  }

  @Test
  void countsByKindAndAddsUp() {
    run(() -> layer.request(Sip.request(Method.INVITE, "z9hG4bK1", "192.0.2.1"), TO_UDP));
    run(() -> layer.request(Sip.request(Method.BYE, "z9hG4bK2", "192.0.2.1"), TO_UDP));
    receive(Sip.request(Method.INVITE, "z9hG4bK3", "192.0.2.2"));
    receive(Sip.request(Method.BYE, "z9hG4bK4", "192.0.2.2"));
    var one = new TransactionCounts.Kinds(1, 1, 1, 1);
    assertThat(layer.counts().created()).isEqualTo(one);
    assertThat(layer.counts().live()).isEqualTo(one);
    assertThat(layer.counts().plus(layer.counts()).live().total()).isEqualTo(8);
  }

  private static SipRequest cancelOf(SipRequest invite) {
    return CancelRequest.of(invite);
  }

  private void run(Runnable task) {
    loop.execute(task);
    time.runReady();
  }

  private void receive(SipMessage message) {
    receive(message, UDP);
  }

  private void receive(SipMessage message, Flow flow) {
    // What the network gives is not what was built: parse it again.
    run(() -> layer.receive(Sip.parse(message.toBytes()), flow));
  }

  private boolean respond(ServerTransactionId id, SipResponse response) {
    var taken = new ArrayList<Boolean>();
    run(() -> taken.add(layer.respond(id, response)));
    return taken.getFirst();
  }
}
