package io.sippbx.control.edge;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.CSeq;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipLimits;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipParser;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.shared.net.Endpoint;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("server behaviour (RFC 3261 8.2, 11)")
class EdgeTest {

  private static final Endpoint ME = Endpoint.of("127.0.0.9", 5060);

  private final World world = new World(1, 0, 1);
  private final List<SipMessage> heard = new ArrayList<>();
  private final SipTransport me = world.network.attach(ME, (message, flow) -> heard.add(message));
  private int requests;

  private SipRequest.Builder request(Method method, Uri uri) {
    requests++;
    return SipRequest.builder(method, uri)
        .via(Via.of(TransportProtocol.UDP, ME, new Branch("z9hG4bK-me-" + requests)))
        .maxForwards(70)
        .from(NameAddr.of(SipUri.of("me", ME)).withTag(new Tag("me")))
        .to(NameAddr.of(SipUri.of("bob", World.EDGE)))
        .callId(new CallId("me-" + requests))
        .cSeq(new CSeq(1, method))
        .contact(NameAddr.of(SipUri.of("me", ME)));
  }

  private SipResponse answer(Method method, UnaryOperator<SipRequest.Builder> more) {
    return answer(more.apply(request(method, SipUri.of("bob", World.EDGE))).build());
  }

  private SipResponse answer(SipRequest request) {
    heard.clear();
    me.send(request, Destination.to(TransportProtocol.UDP, World.EDGE), failure -> {});
    world.clock.advance(Duration.ofMillis(400));
    return (SipResponse) heard.getLast();
  }

  @Test
  void optionsTellWhatIsServed() {
    SipResponse response = answer(Method.OPTIONS, b -> b);
    assertThat(response.status()).isEqualTo(200);
    assertThat(response.headers(HeaderName.ALLOW)).contains("INVITE", "REGISTER", "OPTIONS");
    assertThat(response.header(HeaderName.ACCEPT)).contains("application/sdp");
    assertThat(response.header(HeaderName.SUPPORTED)).isPresent();
  }

  @Test
  void aKnownMethodThatIsNotServedGets405WithAllow() {
    SipResponse response = answer(Method.SUBSCRIBE, b -> b);
    assertThat(response.status()).isEqualTo(405);
    assertThat(response.headers(HeaderName.ALLOW)).contains("INVITE");
  }

  @Test
  void anUnknownMethodGets501WithAllow() {
    SipResponse response = answer(new Method("DANCE"), b -> b);
    assertThat(response.status()).isEqualTo(501);
    assertThat(response.headers(HeaderName.ALLOW)).contains("INVITE");
  }

  @Test
  void reliableProvisionalsAreRefusedBy420() {
    SipResponse response =
        answer(Method.INVITE, b -> b.header(HeaderName.REQUIRE, "100rel, timer"));
    assertThat(response.status()).isEqualTo(420);
    assertThat(response.headers(HeaderName.UNSUPPORTED)).containsExactly("100rel", "timer");
  }

  @Test
  void nothingUnsupportedIsOfferedToTheCallee() {
    answer(Method.INVITE, b -> b.header(HeaderName.SUPPORTED, "100rel, timer"));
    String sent = world.network.lastTo(Endpoint.of("127.0.0.3", 5060)).orElseThrow().toString();
    assertThat(sent).contains("INVITE").doesNotContain("100rel");
  }

  @Test
  void theRouteThatLedToUsIsNotPassedOn() {
    answer(Method.INVITE, b -> b.route(NameAddr.of(SipUri.of(World.EDGE))));
    SipMessage sent = world.network.lastTo(Endpoint.of("127.0.0.3", 5060)).orElseThrow();
    assertThat(sent.routes()).isEmpty();
  }

  @Test
  void aBodyOfAnotherTypeGets415WithAccept() {
    SipResponse response = answer(Method.INVITE, b -> b.body("text/plain", new byte[] {'x'}));
    assertThat(response.status()).isEqualTo(415);
    assertThat(response.header(HeaderName.ACCEPT)).contains("application/sdp");
  }

  @Test
  void noBranchLeftGets440() {
    assertThat(answer(Method.INVITE, b -> b.header(HeaderName.MAX_BREADTH, "0")).status())
        .isEqualTo(440);
  }

  @Test
  void noHopsLeftGets483() {
    assertThat(answer(Method.INVITE, b -> b.maxForwards(0)).status()).isEqualTo(483);
  }

  @Test
  void anotherSchemeGets416() {
    SipRequest sip = request(Method.INVITE, SipUri.of("bob", World.EDGE)).build();
    byte[] http =
        sip.toString()
            .replaceFirst("INVITE sip:[^ ]*", "INVITE http://example.com")
            .getBytes(StandardCharsets.UTF_8);
    ParseResult parsed = SipParser.parse(http, 0, http.length, SipLimits.DEFAULT);
    assertThat(parsed).isInstanceOf(ParseResult.Parsed.class);
    SipMessage message = ((ParseResult.Parsed) parsed).message();
    assertThat(answer((SipRequest) message).status()).isEqualTo(416);
  }

  @Test
  void aRequestInNoDialogGets481() {
    assertThat(
            answer(
                    Method.BYE,
                    b -> b.to(NameAddr.of(SipUri.of("bob", World.EDGE)).withTag(new Tag("nobody"))))
                .status())
        .isEqualTo(481);
    assertThat(answer(Method.BYE, b -> b).status()).isEqualTo(481);
    assertThat(answer(Method.CANCEL, b -> b).status()).isEqualTo(481);
  }

  @Test
  void aDialogOfACallThatIsGoneGets481() {
    String key = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
    SipResponse response =
        answer(
            Method.BYE,
            b -> b.to(NameAddr.of(SipUri.of("bob", World.EDGE)).withTag(new Tag(key + "a0"))));
    assertThat(response.status()).isEqualTo(481);
  }

  @Test
  void aboveTheLimitOfCallsItIs503WithRetryAfter() {
    world.startCall(World.Kind.NO_ANSWER);
    world.clock.advance(Duration.ofSeconds(1));
    SipResponse response = answer(Method.INVITE, b -> b);
    assertThat(response.status()).isEqualTo(503);
    assertThat(response.header(HeaderName.RETRY_AFTER)).isPresent();
    assertThat(world.started).isEqualTo(1);
  }

  @Test
  void whereNoMediaNodeTakesCallsItIs503WithRetryAfter() {
    String offer =
        """
        v=0
        o=a 1 1 IN IP4 127.0.0.9
        s=-
        c=IN IP4 127.0.0.9
        t=0 0
        m=audio 4000 RTP/AVP 0
        """;
    byte[] body = offer.replace("\n", "\r\n").getBytes(StandardCharsets.US_ASCII);
    world.media.full = true;
    SipResponse refused = answer(Method.INVITE, b -> b.body("application/sdp", body));
    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.header(HeaderName.RETRY_AFTER)).isPresent();
    assertThat(world.network.lastTo(Endpoint.of("127.0.0.3", 5060))).as("to the callee").isEmpty();
  }

  @Test
  @DisplayName("17.2.1, RFC 6026: the INVITE again gets the last response, and after a 2xx nothing")
  void aRepeatedInviteGetsTheLastResponseUntilThe2xxAndIsAbsorbedAfterIt() {
    world.plan(VirtualPhone.Answering.ANSWER, Duration.ofSeconds(1));
    SipRequest invite = request(Method.INVITE, SipUri.of("bob", World.EDGE)).build();
    assertThat(answer(invite).status()).isEqualTo(180);
    assertThat(answer(invite).status()).isEqualTo(180);
    assertThat(heard).hasSize(1);
    world.clock.advance(Duration.ofMillis(400));
    assertThat(((SipResponse) heard.getLast()).status()).isEqualTo(200);
    // Between two of its own repetitions of the 2xx, 0.5 s and 1 s after the first.
    world.clock.advance(Duration.ofMillis(500));
    heard.clear();
    me.send(invite, Destination.to(TransportProtocol.UDP, World.EDGE), failure -> {});
    world.clock.advance(Duration.ofMillis(200));
    assertThat(heard).isEmpty();
    assertThat(world.started).isEqualTo(1);
  }

  @Test
  void theSameRefusalIsGivenToARepeat() {
    SipRequest invite = request(Method.INVITE, SipUri.of("bob", World.EDGE)).maxForwards(0).build();
    SipResponse first = answer(invite);
    assertThat(answer(invite).toTag()).isEqualTo(first.toTag());
  }
}
