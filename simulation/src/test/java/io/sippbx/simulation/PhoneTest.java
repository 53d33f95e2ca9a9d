package io.sippbx.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.CSeq;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

@DisplayName("a simulated phone")
class PhoneTest {

  private static final Endpoint ADDRESS = Endpoint.of("127.0.2.1", 5060);

  private final VirtualLoops time = VirtualLoops.inOrder();
  private final Scenario scenario = new Looks(CallKind.FORKED).scenario();
  private final Network network =
      new Network(
          time.loop("wire"),
          new Dice(1).of("network"),
          new Trace(time, Trace.OFF),
          scenario,
          sent -> {},
          heard -> {});
  private final List<SipResponse> heard = new ArrayList<>();
  private final Network.Host edge = network.attach("edge", Simulation.EDGE, (it, by) -> hear(it));
  private final NameAddr caller = NameAddr.of(SipUri.of("caller0", Simulation.EDGE));

  private final List<SipRequest> asked = new ArrayList<>();
  private Phone phone;

  private void hear(SipMessage message) {
    switch (message) {
      case SipRequest request -> asked.add(request);
      case SipResponse response -> {
        if (response.isSuccess()) {
          heard.add(response);
        }
      }
    }
  }

  private SipRequest.Builder request(Method method, int cSeq) {
    return SipRequest.builder(method, SipUri.of("callee0", ADDRESS))
        .via(
            Via.of(
                TransportProtocol.UDP,
                Simulation.EDGE,
                new Branch("z9hG4bK-" + method + "-" + cSeq)))
        .maxForwards(70)
        .from(caller.withTag(new Tag("edge")))
        .callId(new CallId("forked"))
        .cSeq(new CSeq(cSeq, method))
        .contact(caller)
        .header(Phone.PLAN, "0");
  }

  private void send(SipMessage message) {
    edge.send(message, Destination.to(TransportProtocol.UDP, ADDRESS), failure -> {});
  }

  private Set<String> tagsOf(int cSeq) {
    var tags = new LinkedHashSet<String>();
    for (SipResponse each : heard) {
      if (each.cSeq().number() == cSeq) {
        tags.add(each.toTag().orElseThrow().value());
      }
    }
    return tags;
  }

  @BeforeEach
  void isThere() {
    phone =
        new Phone(
            "callee0",
            time.loop("callee0"),
            ADDRESS,
            Simulation.EDGE,
            network,
            new Phone.Plans() {
              @Override
              public PlannedCall of(int number) {
                return scenario.calls().getFirst();
              }

              @Override
              public Endpoint deputy() {
                return Simulation.EDGE;
              }
            },
            new Phone.Observer() {
              @Override
              public void up(int call, Phone phone, boolean isCaller) {}

              @Override
              public void over(int call, Phone phone, boolean isCaller) {}

              @Override
              public void notAcknowledged(int call, Phone phone, long cSeq) {}

              @Override
              public void expired(int call, Phone phone, SipRequest invite) {}

              @Override
              public void answered(Phone phone, SipResponse response) {}
            });
  }

  private SipRequest last(Method method) {
    return asked.stream().filter(each -> each.method().equals(method)).toList().getLast();
  }

  private static SipResponse answer(SipRequest request, int status) {
    SipResponse.Builder answer = SipResponse.to(request, status).contact(request.to());
    return request.toTag().isEmpty() ? answer.toTag(new Tag("edge")).build() : answer.build();
  }

  @Test
  void takesNoLateCopyOfAnAnswerForThatToItsReinvite() {
    Phone.Dialog dialog = phone.prepare(0, "caller0", Phone.Offer.SESSION);
    phone.loop().execute(() -> phone.send(dialog));
    time.advance(Duration.ofMillis(100));
    SipResponse first = answer(last(Method.INVITE), 200);
    send(first);
    time.advance(Duration.ofMillis(100));
    phone.loop().execute(() -> phone.reinvite(dialog));
    time.advance(Duration.ofMillis(100));
    SipRequest again = last(Method.INVITE);
    assertThat(again.cSeq().number()).isEqualTo(2);
    send(answer(again, 100));
    send(first);
    time.advance(Duration.ofMillis(100));
    phone.loop().execute(() -> phone.bye(dialog));
    time.advance(Duration.ofMillis(100));
    send(answer(last(Method.BYE), 200));
    time.advance(Duration.ofSeconds(100));
    assertThat(phone.open()).as("it waits for no answer to what it has ended").isZero();
  }

  @Nested
  @DisplayName("two that answer one INVITE")
  class Two {
    @BeforeEach
    void areCalled() {
      send(request(Method.INVITE, 1).to(NameAddr.of(SipUri.of("callee0", ADDRESS))).build());
      time.advance(Duration.ofSeconds(2));
      assertThat(tagsOf(1)).hasSize(2);
    }

    @Test
    void repeatTheir2xxEachUntilItIsAcknowledged() {
      NameAddr second =
          heard.stream()
              .map(SipResponse::to)
              .filter(to -> to.tag().orElseThrow().value().endsWith("-other"))
              .findFirst()
              .orElseThrow();
      send(request(Method.INVITE, 2).to(second).build());
      time.advance(Duration.ofSeconds(4));
      assertThat(heard.stream().filter(each -> each.cSeq().number() == 2))
          .as("repeated, not once")
          .hasSizeGreaterThan(1);
      send(request(Method.ACK, 2).to(second).build());
      time.advance(Duration.ofSeconds(1));
      heard.clear();
      time.advance(Duration.ofSeconds(8));
      assertThat(tagsOf(1)).as("nobody has acknowledged it").hasSize(1);
      assertThat(tagsOf(2)).isEmpty();
    }
  }
}
