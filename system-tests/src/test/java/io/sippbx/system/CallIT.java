package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.sippbx.system.Sipp.Transport;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Calls between two sipp through one process, each with its own way to end. */
class CallIT {

  @TempDir static Path folder = Path.of("");
  private static EdgeProcess edge = notYet();

  @SuppressWarnings("NullAway") // Set before the first test.
  private static EdgeProcess notYet() {
    return null;
  }

  @BeforeAll
  static void start() {
    edge = EdgeProcess.standalone(folder, "no_answer_timeout: 2");
  }

  @AfterAll
  static void stop() {
    edge.close();
  }

  private static Phones.Outcome call(
      Transport transport, Sipp.Builder callerScenario, Sipp.Builder calleeScenario) {
    return Phones.call(edge, folder, transport, callerScenario, calleeScenario);
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void carriesCallToItsRecord(Transport transport) {
    Phones.Outcome call =
        call(
            transport,
            Sipp.scenario("caller").option("-d", "1200"),
            Sipp.scenario("callee").option("-d", "100"));
    JsonNode cdr = edge.cdr(call.callId());
    assertThat(cdr.path("caller").asText()).isEqualTo("alice");
    assertThat(cdr.path("callee").asText()).isEqualTo(call.callee());
    assertThat(cdr.path("status").asText()).isEqualTo("completed");
    assertThat(cdr.path("termination_reason").asText()).isEqualTo("normal");
    assertThat(cdr.path("sip_status").asInt()).isEqualTo(200);
    assertThat(cdr.path("caller_ip").asText()).isEqualTo("127.0.0.1");
    assertThat(cdr.path("callee_ip").asText()).isEqualTo("127.0.0.1");
    assertThat(cdr.path("codec").asText()).isEqualToIgnoringCase("pcmu");
    assertThat(cdr.path("duration").asInt()).isBetween(1, 20);
    assertThat(cdr.path("callee_call_id").asText()).isNotEqualTo(call.callId()).isNotEmpty();
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void passesBusyOn(Transport transport) {
    Phones.Outcome call =
        call(
            transport,
            Sipp.scenario("caller-refused").with("status", 486),
            Sipp.scenario("callee-refuses").with("status", 486));
    assertThat(edge.cdr(call.callId()).path("sip_status").asInt()).isEqualTo(486);
  }

  @Test
  void passesDeclineOn() {
    Phones.Outcome call =
        call(
            Transport.UDP,
            Sipp.scenario("caller-refused").with("status", 603),
            Sipp.scenario("callee-refuses").with("status", 603));
    assertThat(edge.cdr(call.callId()).path("sip_status").asInt()).isEqualTo(603);
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void givesUpWhenNobodyAnswers(Transport transport) {
    Phones.Outcome call =
        call(
            transport,
            Sipp.scenario("caller-refused").with("status", 408),
            Sipp.scenario("callee-rings"));
    assertThat(edge.cdr(call.callId()).path("sip_status").asInt()).isEqualTo(408);
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void cancelsRingingCall(Transport transport) {
    Phones.Outcome call =
        call(transport, Sipp.scenario("caller-cancels"), Sipp.scenario("callee-rings"));
    assertThat(edge.cdr(call.callId()).path("sip_status").asInt()).isEqualTo(487);
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void passesOfferOfTheCallee(Transport transport) {
    Phones.Outcome call =
        call(
            transport,
            Sipp.scenario("caller-without-offer").option("-d", "200"),
            Sipp.scenario("callee-offers").option("-d", "100"));
    assertThat(edge.cdr(call.callId()).path("status").asText()).isEqualTo("completed");
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void holdsAndResumes(Transport transport) {
    Phones.Outcome call =
        call(
            transport,
            Sipp.scenario("caller-holds").option("-d", "300"),
            Sipp.scenario("callee-held").option("-d", "100"));
    assertThat(edge.cdr(call.callId()).path("status").asText()).isEqualTo("completed");
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void doesNotFindWhoIsNotRegistered(Transport transport) {
    Sipp.scenario("caller-refused")
        .over(transport)
        .with("callee", "nobody-" + UUID.randomUUID())
        .with("status", 404)
        .succeed(folder, edge.sip(transport));
    edge.awaitNothingLeft();
  }
}
