package io.sippbx.control.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.call.Target;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.registrar.ContactLookup.LookupAnswer;
import io.sippbx.control.registrar.ContactLookup.RegisteredContact;
import io.sippbx.control.registrar.binding.Binding;
import io.sippbx.control.registrar.binding.OwnDomains;
import io.sippbx.control.registrar.binding.Reach;
import io.sippbx.control.sip.locate.Location;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Device;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UserRouterTest {

  private static final Endpoint US = Endpoint.of("198.51.100.1", 5060);
  private static final Flow TCP =
      Flow.accepted(TransportProtocol.TCP, US, Endpoint.of("192.0.2.9", 33_333), 7);

  private final VirtualLoops time = VirtualLoops.shuffled(1);
  private final Loop loop = time.loop("edge");

  private Router.Route route(LookupAnswer registered, Location located) {
    return route(List.of(), registered, located, List.of());
  }

  private Router.Route route(
      List<String> domains, LookupAnswer registered, Location located, List<NameAddr> routes) {
    var answers = new ArrayList<Router.Route>();
    var router =
        new UserRouter(
            loop,
            new OwnDomains(domains, "pbx.example"),
            (aor, answer) -> loop.execute(() -> answer.accept(registered)),
            (uri, home, answer) -> home.execute(() -> answer.accept(located)));
    SipRequest.Builder invite =
        SipRequest.builder(Method.INVITE, Uri.of("sip:bob@pbx.example"))
            .via(Via.parse("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1").orElseThrow())
            .from(NameAddr.of(Uri.of("sip:alice@pbx.example")))
            .to(NameAddr.of(Uri.of("sip:bob@pbx.example")))
            .callId(new CallId("1"))
            .cSeq(1);
    routes.forEach(invite::route);
    loop.execute(() -> router.route(invite.build(), answers::add));
    time.advance(Duration.ZERO);
    assertThat(answers).hasSize(1);
    return answers.getFirst();
  }

  private static RegisteredContact contact(String contact, Reach reach, Flow flow) {
    NameAddr parsed = NameAddr.parse(contact).orElseThrow();
    return new RegisteredContact(
        (SipUri) parsed.uri(),
        new Binding(
            parsed,
            new CallId("phone"),
            1,
            List.of(),
            flow,
            reach,
            "",
            Instant.EPOCH,
            Instant.MAX));
  }

  private Destination hop(String contact, Reach reach, Flow flow, Location located) {
    Router.Route route =
        route(new LookupAnswer.Found(List.of(contact(contact, reach, flow))), located);
    return place(((Router.Route.Found) route).groups().getFirst().getFirst().hop());
  }

  /** Where it is, whose phone it is known to be. */
  private static Destination place(Destination hop) {
    assertThat(hop.device()).contains(new Device("bob", "pbx.example", Optional.empty()));
    return hop.of(Optional.empty());
  }

  private Optional<Device> device(String contact, Reach reach, Location located) {
    Router.Route route =
        route(new LookupAnswer.Found(List.of(contact(contact, reach, TCP))), located);
    return ((Router.Route.Found) route).groups().getFirst().getFirst().hop().device();
  }

  @Test
  @DisplayName("RFC 5626 4.1: a device that has told its instance is known by it wherever it is")
  void saysWhichDeviceIsThere() {
    assertThat(device("<sip:bob@10.0.0.5>;+sip.instance=\"<urn:uuid:b>\"", Reach.FLOW, nowhere()))
        .contains(new Device("bob", "pbx.example", Optional.of("urn:uuid:b")));
  }

  private Destination hop(String contact, Flow flow) {
    return hop(contact, Reach.FLOW, flow, nowhere());
  }

  private static Location nowhere() {
    return new Location.NotFound(Location.Reason.NO_SUCH_NAME, "none");
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "<sip:bob@192.0.2.9:5062;transport=tcp>, 5062",
    "<sip:bob@192.0.2.9;transport=TCP>, 5060",
    "<sip:bob@192.0.2.9>, 5060",
  })
  @DisplayName("a phone that kept its connection open is connected to when that is gone")
  void fallsBackToTheContactOfAConnection(String contact, int port) {
    assertThat(hop(contact, TCP))
        .isEqualTo(
            Destination.to(TransportProtocol.TCP, Endpoint.of("192.0.2.9", port)).preferring(TCP));
  }

  @ParameterizedTest
  @CsvSource({
    "<sip:bob@10.0.0.5:5062;transport=tcp>",
    "<sip:bob@df7jal23ls0d.invalid;transport=tcp>",
    "<sip:bob@192.0.2.9;transport=udp>",
  })
  @DisplayName("a phone behind a NAT has its connection only")
  void hasNoOtherWayThanTheFlowBehindANat(String contact) {
    assertThat(hop(contact, TCP)).isEqualTo(Destination.over(TCP));
    assertThat(hop(contact, TCP).onlyFlow()).isTrue();
  }

  @Test
  void goesBackToWhereARegistrationOverUdpCameFrom() {
    Flow udp = Flow.udp(US, Endpoint.of("192.0.2.9", 33_333));
    assertThat(hop("<sip:bob@10.0.0.5>", udp)).isEqualTo(Destination.over(udp));
  }

  @Test
  void goesWhereTheContactPoints() {
    Destination there = Destination.to(TransportProtocol.UDP, Endpoint.of("203.0.113.7", 5070));
    assertThat(
            hop("<sip:bob@phone.example>", Reach.CONTACT, TCP, new Location.Found(List.of(there))))
        .isEqualTo(there);
  }

  @Test
  @DisplayName("RFC 3261 16.6: all contacts of one preference together, the best first")
  void groupsContactsByPreference() {
    Flow udp = Flow.udp(US, Endpoint.of("192.0.2.9", 33_333));
    Router.Route route =
        route(
            new LookupAnswer.Found(
                List.of(
                    contact("<sip:a@10.0.0.5>;q=0.8", Reach.FLOW, udp),
                    contact("<sip:b@10.0.0.5>;q=0.8", Reach.FLOW, udp),
                    contact("<sip:lost@nowhere.example>;q=0.7", Reach.CONTACT, udp),
                    contact("<sip:c@10.0.0.5>;q=0.1", Reach.FLOW, udp))),
            nowhere());
    List<List<String>> uris =
        ((Router.Route.Found) route)
            .groups().stream()
                .map(group -> group.stream().map(Target::uri).map(Uri::toString).toList())
                .toList();
    assertThat(uris)
        .containsExactly(List.of("sip:a@10.0.0.5", "sip:b@10.0.0.5"), List.of("sip:c@10.0.0.5"));
  }

  @Test
  void findsNobodyWhereNothingIsRegistered() {
    assertThat(route(new LookupAnswer.NotRegistered(), nowhere()))
        .isEqualTo(new Router.Route.Found(List.of()));
  }

  @Test
  void saysWhereTheStoreDoesNotAnswer() {
    assertThat(route(new LookupAnswer.Unavailable("slow"), nowhere()))
        .isEqualTo(new Router.Route.Unavailable("slow"));
  }

  @Test
  @DisplayName("RFC 3263 4.3: every address that a name has, in their order, within the limit")
  void keepsTheDestinationsOfANameUpToTheLimit() {
    var many = new ArrayList<Destination>();
    for (int i = 1; i <= 16; i++) {
      many.add(Destination.to(TransportProtocol.UDP, Endpoint.of("203.0.113." + i, 5060)));
    }
    assertThat(hops(many.subList(0, 2))).isEqualTo(many.subList(0, 2));
    assertThat(hops(many)).isEqualTo(many.subList(0, Target.MAX_HOPS));
  }

  private List<Destination> hops(List<Destination> located) {
    Router.Route route =
        route(
            new LookupAnswer.Found(List.of(contact("<sip:bob@phone.example>", Reach.CONTACT, TCP))),
            new Location.Found(located));
    return ((Router.Route.Found) route)
        .groups().getFirst().getFirst().hops().stream().map(UserRouterTest::place).toList();
  }

  private Router.Route routeBy(String... routes) {
    Flow udp = Flow.udp(US, Endpoint.of("192.0.2.9", 33_333));
    return route(
        List.of("198.51.100.1"),
        new LookupAnswer.Found(List.of(contact("<sip:bob@10.0.0.5>", Reach.FLOW, udp))),
        nowhere(),
        Stream.of(routes).map(route -> NameAddr.parse(route).orElseThrow()).toList());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"<sip:198.51.100.1;lr>", "<sip:edge@PBX.example;lr>", "<sip:edge.example.net;lr>"})
  @DisplayName("the first Route is how the request came to us, whatever name of ours it holds")
  void takesOffTheFirstRoute(String route) {
    assertThat(((Router.Route.Found) routeBy(route)).groups().getFirst().getFirst().routes())
        .isEmpty();
  }

  @Test
  void takesOffFurtherRoutesThatNameUs() {
    assertThat(routeBy("<sip:198.51.100.1;lr>", "<sip:edge@pbx.example;lr>"))
        .isInstanceOf(Router.Route.Found.class);
  }

  @Test
  @DisplayName("who wants to go on to somebody else's proxy is refused: calls end at us")
  void refusesARouteToSomebodyElse() {
    assertThat(routeBy("<sip:198.51.100.1;lr>", "<sip:proxy.elsewhere.test;lr>"))
        .isEqualTo(new Router.Route.Refused(403));
  }
}
