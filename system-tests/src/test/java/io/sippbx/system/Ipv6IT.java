package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.system.Sipp.Transport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Calls over IPv6, and between IPv6 and IPv4, with media both ways. */
class Ipv6IT {

  @TempDir static Path folder = Path.of("");
  private static EdgeProcess edge = notYet();

  @SuppressWarnings("NullAway") // Set before the first test.
  private static EdgeProcess notYet() {
    return null;
  }

  @BeforeAll
  static void start() {
    edge =
        EdgeProcess.start(
            folder,
            80,
            List.of("listen_ipv6: \"::1\""),
            List.of("bind_ipv6: \"::1\""),
            List.of("standalone"));
  }

  @AfterAll
  static void stop() {
    edge.close();
  }

  @ParameterizedTest
  @CsvSource({
    "UDP, ::1, ::1",
    "TCP, ::1, ::1",
    "UDP, 127.0.0.1, ::1",
    "UDP, ::1, 127.0.0.1",
    "TCP, 127.0.0.1, ::1"
  })
  void carriesCallAndMedia(Transport transport, String callerIp, String calleeIp)
      throws IOException {
    String bob = "bob-" + UUID.randomUUID();
    try (RtpPhone alices = RtpPhone.at(callerIp);
        RtpPhone bobs = RtpPhone.at(calleeIp);
        Sipp callee =
            Sipp.script(
                    "callee",
                    Script.callee()
                        .expect("INVITE", family(calleeIp))
                        .answerWithSdp("200 OK")
                        .expectAck()
                        .isHungUp())
                .over(transport)
                .at(calleeIp)
                .with("rtp", bobs.port())
                .listen(folder)) {
      Sipp.scenario("register")
          .over(transport)
          .at(Phones.registrant(transport, "127.0.0.1"))
          .with("user", bob)
          // A bracket in a scenario begins a key: the value of one may hold it.
          .with("contact", "[contact]")
          .option("-key", "contact", Phones.contact(bob, bracketed(calleeIp), callee, transport))
          .succeed(folder, edge.sip(transport));
      try (Sipp caller =
          Sipp.script(
                  "caller",
                  Script.caller()
                      .invite()
                      .optional(100)
                      .expect(200, family(callerIp))
                      .ack()
                      .pauseMs(2_500)
                      .hangUp())
              .over(transport)
              .at(callerIp)
              .with("callee", bob)
              .with("rtp", alices.port())
              .start(folder, edge.sip(transport, callerIp.contains(":")))) {
        int callersRelay = caller.relayPort();
        int calleesRelay = callee.relayPort();
        alices.isHeardBy(bobs, callersRelay, calleesRelay);
        bobs.isHeardBy(alices, calleesRelay, callersRelay);
        caller.awaitSuccess();
        callee.awaitSuccess();
        edge.awaitNothingLeft();
        assertThat(edge.cdr(caller.callId()).path("caller_packets").asInt()).isPositive();
      }
    }
  }

  private static String bracketed(String ip) {
    return ip.contains(":") ? "[" + ip + "]" : ip;
  }

  private static String family(String ip) {
    return "c=IN IP" + (ip.contains(":") ? 6 : 4) + " " + ip;
  }
}
