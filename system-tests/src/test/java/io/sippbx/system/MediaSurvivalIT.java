package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.system.Sipp.Transport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The media of calls that are up, when processes are killed or stand still. */
class MediaSurvivalIT {

  private static final Duration ENDS_WITHIN = Duration.ofSeconds(10);
  private static final String OFFER = "m=audio [1-9]";

  @TempDir Path folder = Path.of("");

  private static Script caller() {
    return Script.caller().invite().optional(100).optional(180).expect(200, OFFER).ack();
  }

  private static Script callee() {
    return Script.callee()
        .expect("INVITE", OFFER)
        .answer("180 Ringing")
        .answerWithSdp("200 OK")
        .expectAck();
  }

  private EdgeProcess media(int number, String listen) throws IOException {
    return EdgeProcess.start(
        Files.createDirectory(folder.resolve("media-" + number)),
        40,
        List.of(),
        List.of("listen: \"" + listen + "\""),
        List.of("media-plane", "--set", "cluster.node_id=media-" + number));
  }

  private EdgeProcess control(String nodes) throws IOException {
    return EdgeProcess.start(
        Files.createDirectory(folder.resolve("control")),
        2,
        List.of(),
        List.of(),
        List.of("control-plane", "--media", nodes, "--set", "cluster.node_id=edge-1"));
  }

  /** INVITEs to the Contact that the phone gave in its dialog. */
  private static long reinvites(Sipp phone) {
    return phone.messages().lines().filter(line -> line.startsWith("INVITE sip:phone@")).count();
  }

  private static String address() {
    return "127.0.0.1:" + Ports.pair();
  }

  @Test
  void aStandaloneThatIsKilledAndStartedAgainHasItsCallsMediaBackOnTheSamePorts() throws Exception {
    try (EdgeProcess first = EdgeProcess.standalone(folder);
        RtpPhone alice = RtpPhone.at("127.0.0.1");
        RtpPhone bob = RtpPhone.at("127.0.0.1");
        Sipp called =
            Sipp.script("callee", callee().mayBeAcknowledgedAgain().isHungUp())
                .with("rtp", bob.port())
                .within(300)
                .listen(folder)) {
      Phones.register(first, folder, Transport.UDP, "bob", "127.0.0.1", called);
      // Neither hangs up: the call lasts as long as the test.
      try (Sipp calling =
          Sipp.script("caller", caller().isHungUp())
              .with("rtp", alice.port())
              .within(300)
              .start(folder, first.sip(Transport.UDP))) {
        int toAlice = calling.relayPort();
        int toBob = called.relayPort();
        bob.isHeardBy(alice, toBob, toAlice);
        alice.isHeardBy(bob, toAlice, toBob);
        first.child().kill();
        first.child().awaitExit(ENDS_WITHIN);
        try (EdgeProcess second = first.again()) {
          bob.isHeardBy(alice, toBob, toAlice);
          alice.isHeardBy(bob, toAlice, toBob);
          assertThat(second.metrics()).contains("media_sessions 1.0\n");
          assertThat(reinvites(calling) + reinvites(called)).isZero();
        }
      }
    }
  }

  @Test
  void aMediaNodeThatIsStartedAgainHasItsCallsBackAndNobodyIsTold() throws Exception {
    String listen = address();
    try (EdgeProcess media = media(1, listen);
        EdgeProcess edge = control(listen);
        RtpPhone alice = RtpPhone.at("127.0.0.1");
        RtpPhone bob = RtpPhone.at("127.0.0.1");
        Sipp called =
            Sipp.script("callee", callee().isHungUp())
                .with("rtp", bob.port())
                .within(300)
                .listen(folder)) {
      Phones.register(edge, folder, Transport.UDP, "bob", "127.0.0.1", called);
      try (Sipp calling =
          Sipp.script("caller", caller().isHungUp())
              .with("rtp", alice.port())
              .within(300)
              .start(folder, edge.sip(Transport.UDP))) {
        int toAlice = calling.relayPort();
        int toBob = called.relayPort();
        bob.isHeardBy(alice, toBob, toAlice);
        media.child().kill();
        media.child().awaitExit(ENDS_WITHIN);
        try (EdgeProcess again = media.again()) {
          bob.isHeardBy(alice, toBob, toAlice);
          alice.isHeardBy(bob, toAlice, toBob);
          assertThat(again.metrics()).contains("media_sessions 1.0\n");
          assertThat(reinvites(calling) + reinvites(called)).isZero();
          edge.child().terminate();
          calling.awaitSuccess();
          called.awaitSuccess();
        }
      }
    }
  }

  // It passed twice and failed once: no re-INVITE came within 30 s, and the cause is not known.
  @Disabled("sometimes the phones are not told the new address: a defect that is not found yet")
  @Test
  void aCallWhoseMediaNodeIsKilledGoesOnOnAnother() throws Exception {
    String one = address();
    String two = address();
    try (EdgeProcess first = media(1, one);
        EdgeProcess second = media(2, two);
        EdgeProcess edge = control(one + "," + two);
        RtpPhone alice = RtpPhone.at("127.0.0.1");
        RtpPhone bob = RtpPhone.at("127.0.0.1");
        Sipp called =
            Sipp.script(
                    "callee",
                    callee()
                        .expect("INVITE", OFFER)
                        .answerReinvite("200 OK", "sendrecv")
                        .expectAck()
                        .isHungUp())
                .with("rtp", bob.port())
                .within(300)
                .listen(folder)) {
      Phones.register(edge, folder, Transport.UDP, "bob", "127.0.0.1", called);
      try (Sipp calling =
          Sipp.script(
                  "caller",
                  caller()
                      .expect("INVITE", OFFER)
                      .answerReinvite("200 OK", "sendrecv")
                      .expectAck()
                      .pauseMs(10_000)
                      .hangUp())
              .with("rtp", alice.port())
              .within(300)
              .start(folder, edge.sip(Transport.UDP))) {
        bob.isHeardBy(alice, called.relayPort(), calling.relayPort());
        EdgeProcess victim = first.metrics().contains("media_sessions 1.0") ? first : second;
        victim.child().kill();
        int toAlice = calling.relayPort(2);
        int toBob = called.relayPort(2);
        bob.isHeardBy(alice, toBob, toAlice);
        alice.isHeardBy(bob, toAlice, toBob);
        calling.awaitSuccess();
        called.awaitSuccess();
        edge.awaitNothingLeft();
        (victim == first ? second : first).awaitNothingLeft();
        assertThat(edge.cdr(calling.callId()).path("status").asText()).isEqualTo("completed");
      }
    }
  }

  @Test
  void mediaGoOnWhileControlStandsStillAndTheCallCanBeHungUpAfterwards() throws Exception {
    String listen = address();
    try (EdgeProcess media = media(1, listen);
        EdgeProcess edge = control(listen);
        RtpPhone alice = RtpPhone.at("127.0.0.1");
        RtpPhone bob = RtpPhone.at("127.0.0.1");
        Sipp called =
            Sipp.script("callee", callee().isHungUp())
                .with("rtp", bob.port())
                .within(300)
                .listen(folder)) {
      Phones.register(edge, folder, Transport.UDP, "bob", "127.0.0.1", called);
      try (Sipp calling =
          Sipp.script("caller", caller().pauseMs(15_000).hangUp())
              .with("rtp", alice.port())
              .within(300)
              .start(folder, edge.sip(Transport.UDP))) {
        int toAlice = calling.relayPort();
        int toBob = called.relayPort();
        bob.isHeardBy(alice, toBob, toAlice);
        edge.child().pause(true);
        try {
          long untilNs = System.nanoTime() + Duration.ofSeconds(8).toNanos();
          while (System.nanoTime() < untilNs) {
            bob.isHeardBy(alice, toBob, toAlice);
            alice.isHeardBy(bob, toAlice, toBob);
          }
        } finally {
          edge.child().pause(false);
        }
        bob.isHeardBy(alice, toBob, toAlice);
        calling.awaitSuccess();
        called.awaitSuccess();
        edge.awaitNothingLeft();
        media.awaitNothingLeft();
      }
    }
  }
}
