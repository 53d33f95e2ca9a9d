package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.benchmarks.survival.Fleet;
import io.sippbx.benchmarks.survival.Load;
import io.sippbx.benchmarks.survival.Phase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The media of calls that are up, when processes are killed or stand still. */
class MediaSurvivalIT {

  private static final Duration ENDS_WITHIN = Duration.ofSeconds(10);

  /** For how long nobody tells a media node anything: -Dsippbx.silence=180 for three minutes. */
  private static final Duration STANDS_STILL =
      Duration.ofSeconds(Integer.getInteger("sippbx.silence", 8));

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

  /** Is told once where the media has gone, and agrees. */
  private static Script toldAnew(Script phone) {
    return phone.expect("INVITE", OFFER).answerReinvite("200 OK", "sendrecv").expectAck();
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

  private static String address() {
    return "127.0.0.1:" + Ports.pair();
  }

  private static void kill(EdgeProcess victim) {
    victim.child().kill();
    victim.child().awaitExit(ENDS_WITHIN);
  }

  @Test
  void aStandaloneThatIsKilledAndStartedAgainHasItsCallsMediaBackOnTheSamePorts() throws Exception {
    // Neither hangs up: the call lasts as long as the test.
    try (EdgeProcess first = EdgeProcess.standalone(folder);
        Conversation call =
            Conversation.begin(
                first, folder, caller().isHungUp(), callee().mayBeAcknowledgedAgain().isHungUp())) {
      call.flows();
      kill(first);
      try (EdgeProcess second = first.again()) {
        call.flows();
        second.awaitSessions(1);
        assertThat(call.reinvites()).isZero();
      }
    }
  }

  @Test
  void aMediaNodeThatIsStartedAgainHasItsCallsBackAndNobodyIsTold() throws Exception {
    String listen = address();
    try (EdgeProcess media = media(1, listen);
        EdgeProcess edge = control(listen);
        Conversation call =
            Conversation.begin(edge, folder, caller().isHungUp(), callee().isHungUp())) {
      call.flows();
      kill(media);
      try (EdgeProcess again = media.again()) {
        call.flows();
        again.awaitSessions(1);
        assertThat(call.reinvites()).isZero();
        edge.child().terminate();
        call.awaitSuccess();
      }
    }
  }

  @Test
  void aCallWhoseMediaNodeIsKilledGoesOnOnAnother() throws Exception {
    String one = address();
    String two = address();
    try (EdgeProcess first = media(1, one);
        EdgeProcess second = media(2, two);
        EdgeProcess edge = control(one + "," + two);
        Conversation call =
            Conversation.begin(
                edge,
                folder,
                toldAnew(caller()).pauseMs(10_000).hangUp(),
                toldAnew(callee()).isHungUp())) {
      call.flows();
      // By the port, since what a node says of its sessions is some hundred milliseconds old.
      boolean isFirst = first.hasRtpPort(call.calling().relayPort());
      kill(isFirst ? first : second);
      call.flowsElsewhere();
      call.awaitSuccess();
      edge.awaitNothingLeft();
      (isFirst ? second : first).awaitNothingLeft();
      assertThat(edge.cdr(call.calling().callId()).path("status").asText()).isEqualTo("completed");
    }
  }

  @Test
  void mediaGoOnWhileControlAndRedisStandStillAndTheCallsCanBeHungUpAfterwards() throws Exception {
    try (Fleet fleet = Fleets.start(folder, 2);
        var load = new Load(fleet, 5)) {
      load.begin(List.of(Phase.UP), false, 3);
      assertThat(load.notHeld()).isEmpty();
      load.mark(0);
      fleet.signalControls("STOP");
      fleet.pauseRedis(true);
      long sinceNs = System.nanoTime();
      Await.until(
          "all have stood still for long enough",
          STANDS_STILL.plusSeconds(5),
          () -> System.nanoTime() - sinceNs,
          passedNs -> passedNs > STANDS_STILL.toNanos());
      assertThat(load.longestSilenceMs()).isLessThan(1_000);
      fleet.pauseRedis(false);
      fleet.signalControls("CONT");
      load.release(phase -> true, Duration.ofSeconds(1));
      load.awaitEnds(phase -> true, Duration.ofSeconds(45));
      assertThat(load.losses()).isEmpty();
      Fleets.awaitNothingLeft(fleet, load.callIds());
    }
  }
}
