package io.sippbx.app.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sippbx.app.demo.CallFacts.Hold;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.Via;
import io.sippbx.media.port.PortRange;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.sdp.Direction;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InspectionTest {

  private static final PortRange RELAY = new PortRange(12_000, 12_031);
  private static final Instant BEGAN = Instant.parse("2026-01-01T10:00:00.9Z");
  private static final Reception.Reading ALL = new Reception.Reading(150, 0, 0, 0, 999, 1, 0);
  private static final CallFacts FACTS = facts("", Endpoint.of("127.0.0.1", 12_002));

  private static final String CDR =
      """
      {"call_id":"c1-alice","caller":"alice","callee":"bob","start_time":"2026-01-01T10:00:00Z",\
      "end_time":"2026-01-01T10:00:04Z","duration":4,"status":"completed",\
      "caller_ip":"127.0.0.1","callee_ip":"127.0.0.1","codec":"pcmu",\
      "termination_reason":"normal","caller_packets":150,"caller_lost":0,\
      "callee_packets":150,"callee_lost":0}""";

  private final Checks checks = new Checks();

  private static PhoneFacts phone(String name, int challenges, Reception.Reading heard) {
    int port = name.equals("alice") ? 4_000 : 4_100;
    return new PhoneFacts(
        name,
        Endpoint.of("127.0.0.1", port + 50),
        Endpoint.of("127.0.0.1", port),
        challenges,
        new Tone(400),
        150,
        999,
        heard);
  }

  private Inspection inspection(int callersChallenges, Reception.Reading heardByCallee) {
    return new Inspection(
        checks, phone("alice", callersChallenges, ALL), phone("bob", 1, heardByCallee));
  }

  private Inspection inspection() {
    return inspection(2, ALL);
  }

  private static CallFacts facts(String inInvite, Endpoint callersMedia) {
    SipRequest invite =
        SipRequest.builder(Method.INVITE, SipUri.of("bob", Endpoint.of("127.0.0.1", 4_150)))
            .via(Via.parse("SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1").orElseThrow())
            .from(NameAddr.of(SipUri.of("alice", "pbx.demo")).withTag(new Tag("x")))
            .to(NameAddr.of(SipUri.of("bob", "pbx.demo")))
            .callId(new CallId("other"))
            .cSeq(1)
            .body("text/plain", inInvite.getBytes(StandardCharsets.UTF_8))
            .build();
    return new CallFacts(
        new CallId("c1-alice"),
        invite,
        callersMedia,
        Endpoint.of("127.0.0.1", 12_006),
        BEGAN,
        BEGAN.plusMillis(3_200),
        Optional.empty());
  }

  private List<String> failed() {
    return checks.all().stream().filter(check -> !check.ok()).map(Checks.Check::claim).toList();
  }

  @Nested
  class OfTheSignalling {
    @Test
    void findsNothingWrongWithAGoodCall() {
      inspection().signalling(FACTS, RELAY);
      assertThat(checks.all()).hasSize(3);
      assertThat(failed()).isEmpty();
    }

    @Test
    void missesAChallenge() {
      inspection(1, ALL).signalling(FACTS, RELAY);
      assertThat(failed()).singleElement().asString().contains("digest");
    }

    @ParameterizedTest
    @ValueSource(strings = {"c1-alice", "127.0.0.1:4050", "m=audio 4000 RTP/AVP 0"})
    void findsWhatTheCalleeShouldNotSee(String leak) {
      inspection().signalling(facts(leak, FACTS.callersMedia()), RELAY);
      assertThat(failed()).singleElement().asString().contains("told nothing of the caller");
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1, 4100", "127.0.0.1, 12003", "192.0.2.1, 12002"})
    void findsMediaThatDoNotGoThroughTheRelay(String ip, int port) {
      inspection().signalling(facts("", Endpoint.of(ip, port)), RELAY);
      assertThat(failed()).singleElement().asString().contains("relay");
    }

    @ParameterizedTest
    @CsvSource({
      "SENDONLY, RECVONLY, SENDRECV, 0, 50, 0",
      "SENDRECV, RECVONLY, SENDRECV, 0, 50, 1",
      "SENDONLY, SENDRECV, SENDRECV, 0, 50, 1",
      "SENDONLY, RECVONLY, SENDONLY, 0, 50, 1",
      "SENDONLY, RECVONLY, SENDRECV, 1, 50, 1",
      "SENDONLY, RECVONLY, SENDRECV, 0, 0, 1"
    })
    void looksAtTheHold(
        Direction offered,
        Direction answered,
        Direction resumed,
        int heardByHolder,
        int heardByHeld,
        int wrong) {
      var held =
          new CallFacts(
              FACTS.callId(),
              FACTS.calleesInvite(),
              FACTS.callersMedia(),
              FACTS.calleesMedia(),
              FACTS.began(),
              FACTS.ended(),
              Optional.of(new Hold(offered, answered, resumed, heardByHolder, heardByHeld)));
      inspection().signalling(held, RELAY);
      assertThat(checks.all()).hasSize(5);
      assertThat(failed()).hasSize(wrong);
    }
  }

  @Nested
  class OfTheMedia {
    @ParameterizedTest
    @CsvSource({
      "150, 0, 0, 0, 999, 1.0, 0.0, 0",
      "140, 0, 0, 0, 999, 1.0, 0.0, 0",
      "139, 0, 0, 0, 999, 1.0, 0.0, 1",
      "151, 0, 0, 0, 999, 1.0, 0.0, 1",
      "149, 1, 0, 0, 999, 1.0, 0.0, 1",
      "149, 0, 0, 0, 998, 1.0, 0.0, 1",
      "150, 0, 1, 0, 999, 1.0, 0.0, 1",
      "150, 0, 0, 1, 999, 1.0, 0.0, 1",
      "150, 0, 0, 0, 999, 0.8, 0.0, 1",
      "150, 0, 0, 0, 999, 0.9, 0.1, 1",
      "0, 0, 0, 0, 0, 0.0, 0.0, 2"
    })
    void wantsAllOfItAndNothingElse(
        int packets,
        int lost,
        int duplicates,
        int strange,
        int lastSequence,
        double share,
        double echo,
        int wrong) {
      inspection(
              2,
              new Reception.Reading(packets, lost, duplicates, strange, lastSequence, share, echo))
          .media();
      assertThat(checks.all()).hasSize(4);
      assertThat(failed()).hasSize(wrong).allMatch(claim -> claim.startsWith("alice -> bob"));
    }
  }

  @Nested
  class OfTheRecord {
    @Test
    void findsNothingWrongWithAGoodOne() throws Exception {
      inspection().record(List.of(CDR), FACTS);
      assertThat(checks.all()).hasSize(5);
      assertThat(failed()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
      "c1-alice, c2-alice",
      "\"callee\":\"bob\", \"callee\":null",
      "completed, failed",
      "normal, media_timeout",
      "pcmu, pcma",
      "\"caller_packets\":150, \"caller_packets\":100",
      "\"callee_packets\":150, \"callee_packets\":151",
      "\"callee_lost\":0, \"callee_lost\":1",
      "\"duration\":4, \"duration\":9",
      "10:00:00Z, 09:00:00Z",
      "10:00:04Z, never"
    })
    void findsAWrongField(String right, String wrong) throws Exception {
      assertThat(CDR).contains(right);
      inspection().record(List.of(CDR.replace(right, wrong)), FACTS);
      assertThat(failed()).hasSize(1);
    }

    @Test
    void wantsExactlyOne() throws Exception {
      inspection().record(List.of(), FACTS);
      assertThat(failed()).containsExactly("one CDR is on disk");
      inspection().record(List.of(CDR, CDR), FACTS);
      assertThat(failed()).containsExactly("one CDR is on disk", "one CDR is on disk");
    }

    @Test
    void wantsJson() {
      assertThatExceptionOfType(DemoFailure.class)
          .isThrownBy(() -> inspection().record(List.of("[]"), FACTS))
          .withMessage("The CDR: expected a JSON object, but got []");
      assertThatExceptionOfType(DemoFailure.class)
          .isThrownBy(() -> inspection().record(List.of("{"), FACTS))
          .withMessage("The CDR: expected JSON, but got {");
    }
  }
}
