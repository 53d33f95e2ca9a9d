package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.sippbx.system.Sipp.Transport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What may happen within a call besides answer and end; all of it goes to a trace, too. */
class DialogIT {

  private static final String OFFER = "m=audio [1-9]";

  @TempDir static Path folder = Path.of("");
  private static EdgeProcess edge = notYet();

  @SuppressWarnings("NullAway") // Set before the first test.
  private static EdgeProcess notYet() {
    return null;
  }

  @BeforeAll
  static void start() {
    edge = EdgeProcess.standalone(folder, "trace_file: " + folder.resolve("sip.trace"));
  }

  @AfterAll
  static void stop() {
    edge.close();
  }

  private static Script answeredCaller() {
    return Script.caller().invite().optional(100).optional(180).expect(200, OFFER).ack();
  }

  private static Script answeringCallee() {
    return Script.callee()
        .expect("INVITE", OFFER)
        .answer("180 Ringing")
        .answerWithSdp("200 OK")
        .expectAck();
  }

  private static Phones.Outcome call(Transport transport, Script caller, Script callee) {
    return Phones.call(
        edge, folder, transport, Sipp.script("caller", caller), Sipp.script("callee", callee));
  }

  private static void assertCompleted(Phones.Outcome call) {
    JsonNode cdr = edge.cdr(call.callId());
    assertThat(cdr.path("status").asText()).isEqualTo("completed");
    assertThat(cdr.path("termination_reason").asText()).isEqualTo("normal");
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void isHungUpByTheCallee(Transport transport) {
    assertCompleted(
        call(transport, answeredCaller().isHungUp(), answeringCallee().pauseMs(200).hangUp()));
  }

  @Test
  void followsARedirection() {
    try (Sipp elsewhere = Sipp.script("elsewhere", answeringCallee().isHungUp()).listen(folder)) {
      Phones.Outcome call =
          call(
              Transport.UDP,
              answeredCaller().pauseMs(200).hangUp(),
              Script.callee()
                  .expect("INVITE", OFFER)
                  .redirect("sip:carol@127.0.0.1:" + elsewhere.port())
                  .expectAck());
      elsewhere.awaitSuccess();
      assertCompleted(call);
      assertThat(elsewhere.messages()).contains("INVITE sip:carol@127.0.0.1:" + elsewhere.port());
    }
  }

  @Test
  void carriesMediaOfTheCalleeBeforeTheAnswer() throws IOException {
    Script caller =
        Script.caller()
            .invite()
            .optional(100)
            .expect(183, OFFER)
            .expect(200, OFFER)
            .ack()
            .isHungUp();
    Script callee =
        Script.callee()
            .expect("INVITE", OFFER)
            .answerWithSdp("183 Session Progress")
            .pauseMs(3_000)
            .answerWithSdp("200 OK")
            .expectAck()
            .hangUp();
    try (RtpPhone alice = RtpPhone.at("127.0.0.1");
        RtpPhone bob = RtpPhone.at("127.0.0.1");
        Sipp called = Sipp.script("early", callee).with("rtp", bob.port()).listen(folder)) {
      Phones.register(edge, folder, Transport.UDP, "early", "127.0.0.1", called);
      try (Sipp calling =
          Sipp.script("caller", caller)
              .with("rtp", alice.port())
              .with("callee", "early")
              .start(folder, edge.sip(Transport.UDP))) {
        bob.isHeardBy(alice, called.relayPort(), calling.relayPort());
        assertThat(calling.messages()).contains("SIP/2.0 183").doesNotContain("SIP/2.0 200");
        calling.awaitSuccess();
        called.awaitSuccess();
      }
    }
    edge.awaitNothingLeft();
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void refusesTheSecondOfTwoCrossingReinvites(Transport transport) {
    Script callee =
        answeringCallee()
            .expect("INVITE", "a=sendonly")
            .reinvite("sendrecv")
            .optional(100)
            .expect(491)
            .ackRefusal(3)
            .answerReinvite("200 OK", "recvonly")
            .expectAck()
            .isHungUp();
    Script caller =
        answeredCaller()
            .reinvite("sendonly")
            .optional(100)
            .expect(200, "a=recvonly")
            .ack()
            .pauseMs(200)
            .hangUp();
    assertCompleted(call(transport, caller, callee));
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void goesOnAfterARefusedReinvite(Transport transport) {
    Script callee =
        answeringCallee()
            .expect("INVITE", "a=sendonly")
            .answerReinvite("488 Not Acceptable Here", "")
            .expectAck()
            .expect("INVITE", OFFER)
            .answerReinvite("200 OK", "sendrecv")
            .expectAck()
            .isHungUp();
    Script caller =
        answeredCaller()
            .reinvite("sendonly")
            .optional(100)
            .expect(488)
            .ackRefusal(3)
            .reinvite("sendrecv")
            .optional(100)
            .expect(200, OFFER)
            .ack()
            .pauseMs(200)
            .hangUp();
    assertCompleted(call(transport, caller, callee));
  }

  @Test
  void callsAPhoneOverTheConnectionOfItsRegistration() throws IOException {
    try (var phone = new TcpPhone(edge.sip(Transport.TCP), "behind-nat")) {
      assertThat(phone.register()).startsWith("SIP/2.0 200").contains(phone.contact());
      try (Sipp caller =
          Sipp.script("caller", answeredCaller().pauseMs(100).hangUp())
              .with("callee", "behind-nat")
              .start(folder, edge.sip(Transport.UDP))) {
        String invite = phone.receive();
        assertThat(invite).startsWith("INVITE " + phone.contact());
        phone.answer(invite, "180 Ringing", "");
        phone.answer(
            invite,
            "200 OK",
            """
            v=0
            o=phone 1 1 IN IP4 127.0.0.1
            s=-
            c=IN IP4 127.0.0.1
            t=0 0
            m=audio %d RTP/AVP 0
            """
                .formatted(Ports.pair()));
        assertThat(phone.receive()).startsWith("ACK sip:");
        String bye = phone.receive();
        assertThat(bye).startsWith("BYE sip:");
        phone.answer(bye, "200 OK", "");
        caller.awaitSuccess();
        edge.awaitNothingLeft();
        assertThat(edge.cdr(caller.callId()).path("status").asText()).isEqualTo("completed");
      }
    }
  }

  @Test
  void writesEveryMessageToTheTrace() {
    Phones.Outcome call =
        call(Transport.UDP, answeredCaller().pauseMs(100).hangUp(), answeringCallee().isHungUp());
    Await.until(
        "the trace holds the end of the call",
        Duration.ofSeconds(10),
        () -> Files.readString(folder.resolve("sip.trace")),
        text ->
            text.contains("Call-ID: " + call.callId())
                && text.contains("INVITE sip:" + call.callee() + "@")
                && text.contains("ACK sip:")
                && text.lastIndexOf("BYE sip:") < text.lastIndexOf("SIP/2.0 200 OK"));
  }
}
