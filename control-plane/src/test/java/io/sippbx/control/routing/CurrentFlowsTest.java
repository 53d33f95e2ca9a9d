package io.sippbx.control.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.registrar.ContactLookup.LookupAnswer;
import io.sippbx.control.registrar.ContactLookup.RegisteredContact;
import io.sippbx.control.registrar.binding.Binding;
import io.sippbx.control.registrar.binding.OwnDomains;
import io.sippbx.control.registrar.binding.Reach;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Device;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

@DisplayName("RFC 5626 5.3: requests to a phone whose connection is gone")
class CurrentFlowsTest {

  private static final Endpoint US = Endpoint.of("198.51.100.1", 5060);
  private static final Flow OLD = connection(40_000, 1);
  private static final Flow NEW = connection(40_001, 2);

  private final VirtualLoops time = VirtualLoops.inOrder();
  private final VirtualLoop loop = time.loop("edge");
  private final List<Destination> sent = new ArrayList<>();
  private final List<SendFailure> failures = new ArrayList<>();
  private final List<Long> living = new ArrayList<>();
  private List<RegisteredContact> registered = List.of();
  private SendFailure.Reason reason = SendFailure.Reason.CONNECTION_LOST;
  private long term = 1;
  private int lookups;
  private final CurrentFlows flows =
      new CurrentFlows(
          loop,
          new Wire(),
          (aor, answer) -> {
            assertThat(aor.toString()).contains("bob");
            lookups++;
            loop.execute(
                () ->
                    answer.accept(
                        registered.isEmpty()
                            ? new LookupAnswer.NotRegistered()
                            : new LookupAnswer.Found(registered)));
          },
          new OwnDomains(List.of(), "pbx.example"),
          Duration.ofSeconds(10),
          () -> term);

  private static Flow connection(int port, long number) {
    return Flow.accepted(TransportProtocol.TCP, US, Endpoint.of("192.0.2.9", port), number);
  }

  /** Connections that are not among the living are gone. */
  private final class Wire implements SipTransport {
    @Override
    public void send(SipMessage message, Destination to, Consumer<SendFailure> onFailure) {
      sent.add(to);
      if (to.flow().isPresent() && !living.contains(to.flow().get().connection())) {
        loop.execute(() -> onFailure.accept(new SendFailure(reason, "gone")));
      }
    }

    @Override
    public void send(SipMessage message, Flow flow, Consumer<SendFailure> onFailure) {
      throw new IllegalStateException("Expected destinations only");
    }

    @Override
    public Optional<Endpoint> advertised(TransportProtocol protocol, boolean v6) {
      return Optional.of(US);
    }
  }

  private static RegisteredContact contact(String uri, Flow flow) {
    return new RegisteredContact(
        (SipUri) Uri.of(uri),
        new Binding(
            NameAddr.of(Uri.of(uri)),
            new CallId("phone"),
            1,
            List.of(),
            flow,
            Reach.FLOW,
            "",
            Instant.EPOCH,
            Instant.MAX));
  }

  private static final String PHONE = "urn:uuid:00000000-0000-1000-8000-000A95A0E128";

  private static RegisteredContact contact(String uri, Flow flow, String instance) {
    return new RegisteredContact(
        (SipUri) Uri.of(uri),
        new Binding(
            NameAddr.parse("<" + uri + ">;+sip.instance=\"<" + instance + ">\"").orElseThrow(),
            new CallId("phone"),
            1,
            List.of(),
            flow,
            Reach.FLOW,
            "",
            Instant.EPOCH,
            Instant.MAX));
  }

  /** Where a dialog knows the phone to be. */
  private static Destination of(Flow flow) {
    return Destination.over(flow)
        .of(Optional.of(new Device("bob", "pbx.example", Optional.of(PHONE))));
  }

  private void sends(SipRequest request, Destination to) {
    loop.execute(() -> flows.send(request, to, failures::add));
    time.runReady();
  }

  @Test
  void goToTheSameDeviceWhereverItIsThoughOthersShareItsName() {
    living.add(2L);
    living.add(3L);
    registered =
        List.of(
            contact("sip:bob@192.0.2.9:40000;transport=tcp", connection(1, 3), "urn:other"),
            contact("sip:bob@203.0.113.5:6000;transport=tcp", NEW, PHONE));
    sends(bye(";tag=2"), of(OLD));
    assertThat(sent).containsExactly(of(OLD), of(NEW));
  }

  @Test
  void waitForTheDeviceAndGoToNoOtherThatHasItsContact() {
    living.add(3L);
    registered =
        List.of(contact("sip:bob@192.0.2.9:40000;transport=tcp", connection(1, 3), "urn:other"));
    sends(bye(";tag=2"), of(OLD));
    time.advance(Duration.ofSeconds(11));
    assertThat(sent).containsExactly(of(OLD));
    assertThat(failures).hasSize(1);
  }

  @Nested
  @DisplayName("over UDP, which tells nobody that a phone has another address")
  class OverUdp {
    private final Flow here = Flow.udp(US, Endpoint.of("192.0.2.9", 5060));
    private final Flow there = Flow.udp(US, Endpoint.of("203.0.113.5", 1024));

    OverUdp() {
      living.add(0L);
      registered = List.of(contact("sip:bob@10.0.0.9:5060", there, PHONE));
    }

    @Test
    void goWhereTheDialogSaysAndAskNobodyWhileTheyAreAnswered() {
      sends(bye(";tag=2"), of(here));
      assertThat(sent).containsExactly(of(here));
      assertThat(lookups).isZero();
    }

    @Test
    void goWhereThePhoneIsNowWhenTheyAreSentAgain() {
      for (int i = 0; i < 3; i++) {
        sends(bye(";tag=2"), of(here));
      }
      assertThat(sent).containsExactly(of(here), of(here), of(there), of(there));
      assertThat(lookups).isEqualTo(1);
    }

    @Test
    void areSentWhereTheyWereWhileThePhoneIsNowhereElse() {
      registered = List.of(contact("sip:bob@10.0.0.9:5060", here, PHONE));
      sends(bye(";tag=2"), of(here));
      sends(bye(";tag=2"), of(here));
      assertThat(sent).containsExactly(of(here), of(here));
      registered = List.of(contact("sip:bob@10.0.0.9:5060", there, PHONE));
      sends(bye(";tag=2"), of(here));
      assertThat(sent).containsExactly(of(here), of(here), of(here), of(there));
    }

    @Test
    void areNotSentElsewhereOnceTheLeaseHasEnded() {
      sends(bye(";tag=2"), of(here));
      loop.execute(() -> flows.send(bye(";tag=2"), of(here), failures::add));
      term = 2;
      time.runReady();
      assertThat(sent).containsExactly(of(here), of(here));
    }

    @Test
    void goToTheProxyThatStandsBetween() {
      SipRequest routed =
          bye(";tag=2").toBuilder().addHeader(HeaderName.ROUTE, "<sip:192.0.2.9;lr>").build();
      for (int i = 0; i < 3; i++) {
        sends(routed, of(here));
      }
      assertThat(sent).containsOnly(of(here));
      assertThat(lookups).isZero();
    }

    @Test
    void areRememberedWithinABound() {
      sends(bye(";tag=2"), of(here));
      for (int i = 0; i < CurrentFlows.MAX_FOLLOWED; i++) {
        SipRequest other =
            bye(";tag=2").toBuilder()
                .removeHeaders(HeaderName.VIA)
                .via(Via.parse("SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKn" + i).orElseThrow())
                .build();
        loop.execute(() -> flows.send(other, of(here), failures::add));
      }
      time.runReady();
      sends(bye(";tag=2"), of(here));
      assertThat(lookups).as("the oldest is forgotten").isZero();
    }
  }

  private static SipRequest bye(String toTag) {
    return SipRequest.builder(Method.BYE, Uri.of("sip:bob@192.0.2.9:40000;transport=tcp"))
        .via(Via.parse("SIP/2.0/TCP 198.51.100.1;branch=z9hG4bK1").orElseThrow())
        .from(NameAddr.parse("<sip:alice@pbx.example>;tag=1").orElseThrow())
        .to(NameAddr.parse("<sip:bob@pbx.example>" + toTag).orElseThrow())
        .callId(new CallId("1"))
        .cSeq(2)
        .build();
  }

  private void sends(SipRequest request) {
    loop.execute(() -> flows.send(request, Destination.over(OLD), failures::add));
    time.runReady();
  }

  @Test
  void goByTheConnectionWhileItLives() {
    living.add(1L);
    sends(bye(";tag=2"));
    assertThat(sent).containsExactly(Destination.over(OLD));
    assertThat(flows.waiting()).isZero();
  }

  @Test
  void goByTheConnectionThatItHasNow() {
    living.add(2L);
    registered = List.of(contact("sip:bob@192.0.2.9:40001;transport=tcp", NEW));
    sends(bye(";tag=2"));
    assertThat(sent).containsExactly(Destination.over(OLD), Destination.over(NEW));
    assertThat(failures).isEmpty();
  }

  @Test
  void waitForItToReturn() {
    registered = List.of(contact("sip:bob@192.0.2.9:40000;transport=tcp", OLD));
    sends(bye(";tag=2"));
    assertThat(flows.waiting()).isEqualTo(1);
    time.advance(Duration.ofSeconds(4));
    assertThat(failures).isEmpty();
    living.add(2L);
    registered = List.of(contact("sip:bob@192.0.2.9:40000;transport=tcp", NEW));
    time.advance(CurrentFlows.AGAIN);
    assertThat(sent).containsExactly(Destination.over(OLD), Destination.over(NEW));
    assertThat(flows.waiting()).isZero();
  }

  /**
   * A phone that listens nowhere comes back from another port, and its binding of before is left.
   */
  @Test
  void goToTheBindingThatIsNewerThanTheOneOfTheLostConnection() {
    living.add(2L);
    registered =
        List.of(
            at(1, contact("sip:bob@192.0.2.9:40000;transport=tcp", OLD)),
            at(2, contact("sip:bob@192.0.2.9:40001;transport=tcp", NEW)));
    sends(bye(";tag=2"));
    assertThat(sent).containsExactly(Destination.over(OLD), Destination.over(NEW));
    assertThat(failures).isEmpty();
  }

  @Test
  void doNotGoToABindingOfTheSameHostThatWasThereBeforeTheConnectionWasLost() {
    living.add(2L);
    registered =
        List.of(
            at(2, contact("sip:bob@192.0.2.9:40000;transport=tcp", OLD)),
            at(1, contact("sip:bob@192.0.2.9:40001;transport=tcp", NEW)));
    sends(bye(";tag=2"));
    time.advance(Duration.ofSeconds(11));
    assertThat(sent).containsExactly(Destination.over(OLD));
    assertThat(failures).hasSize(1);
  }

  /** It is lost once more: neither of the two is tried again. */
  @Test
  void waitForTheNextOneWhenThatIsLostToo() {
    registered =
        List.of(
            at(1, contact("sip:bob@192.0.2.9:40000;transport=tcp", OLD)),
            at(2, contact("sip:bob@192.0.2.9:40001;transport=tcp", NEW)));
    sends(bye(";tag=2"));
    time.advance(Duration.ofSeconds(2));
    assertThat(sent).containsExactly(Destination.over(OLD), Destination.over(NEW));
    Flow third = connection(40002, 3);
    living.add(3L);
    registered =
        List.of(
            registered.getFirst(),
            registered.getLast(),
            at(3, contact("sip:bob@192.0.2.9:40002;transport=tcp", third)));
    time.advance(CurrentFlows.AGAIN);
    assertThat(sent)
        .containsExactly(Destination.over(OLD), Destination.over(NEW), Destination.over(third));
    assertThat(failures).isEmpty();
  }

  private static RegisteredContact at(long second, RegisteredContact contact) {
    Binding of = contact.binding();
    return new RegisteredContact(
        contact.uri(),
        new Binding(
            of.contact(),
            of.callId(),
            of.cSeq(),
            of.path(),
            of.flow(),
            of.reach(),
            of.userAgent(),
            Instant.ofEpochSecond(second),
            of.expiresAt()));
  }

  @Test
  void failWhenItDoesNotReturnInTime() {
    sends(bye(";tag=2"));
    time.advance(Duration.ofMillis(9_900));
    assertThat(failures).isEmpty();
    time.advance(Duration.ofSeconds(1));
    assertThat(failures).hasSize(1);
    assertThat(flows.waiting()).isZero();
    assertThat(loop.pending()).isZero();
  }

  @Test
  void neverGoToAnotherDevice() {
    living.add(2L);
    registered =
        List.of(
            contact("sip:bob@203.0.113.5:5060;transport=tcp", NEW),
            contact("sip:bob@203.0.113.6:5060;transport=tcp", connection(1, 3)));
    sends(bye(";tag=2"));
    time.advance(Duration.ofSeconds(11));
    assertThat(sent).containsExactly(Destination.over(OLD));
    assertThat(failures).hasSize(1);
  }

  @Test
  void areNotSentOnceTheLeaseHasEnded() {
    sends(bye(";tag=2"));
    term = 2;
    living.add(2L);
    registered = List.of(contact("sip:bob@192.0.2.9:40001;transport=tcp", NEW));
    time.advance(Duration.ofSeconds(11));
    assertThat(sent).containsExactly(Destination.over(OLD));
    assertThat(failures).isEmpty();
    assertThat(flows.waiting()).isZero();
  }

  @Test
  void failAtOnceOutsideOfADialogOrForAnotherReason() {
    sends(bye(""));
    assertThat(failures).hasSize(1);
    reason = SendFailure.Reason.QUEUE_FULL;
    sends(bye(";tag=2"));
    assertThat(failures).hasSize(2);
    assertThat(flows.waiting()).isZero();
  }

  @Test
  void areBoundedInNumber() {
    for (int i = 0; i <= CurrentFlows.MAX_WAITING; i++) {
      loop.execute(() -> flows.send(bye(";tag=2"), Destination.over(OLD), failures::add));
    }
    time.runReady();
    assertThat(failures).hasSize(1);
    assertThat(flows.waiting()).isEqualTo(CurrentFlows.MAX_WAITING);
  }
}
