package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.benchmarks.survival.Fleet;
import io.sippbx.benchmarks.survival.Load;
import io.sippbx.benchmarks.survival.Phase;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Control nodes that stand still for ten seconds and go on. */
class PausedNodeIT {

  private static final Duration PAUSE = Duration.ofSeconds(10);
  private static final Duration WITHIN = Duration.ofSeconds(30);
  private static final Duration SPREAD = Duration.ofSeconds(2);
  private static final Duration ENDS_WITHIN = Duration.ofSeconds(45);
  private static final Duration ANSWERED_WITHIN = Duration.ofMillis(500);
  private static final int MOST_SOCKETS = 60;
  private static final int MOST_CALLS = 30;

  @TempDir Path folder = Path.of("");

  private final List<UdpPhone> phones = new ArrayList<>();

  private UdpPhone phone(Fleet fleet, String user) {
    var phone = new UdpPhone(fleet.edge(), user);
    phones.add(phone);
    return phone;
  }

  /** A call whose callee has the INVITE and has said nothing: its node repeats the INVITE. */
  private record Asking(UdpPhone caller, UdpPhone callee, String sent, String got) {

    void forget() {
      caller.rest();
      callee.rest();
    }

    void isQuiet() {
      assertThat(caller.rest()).isEmpty();
      assertThat(callee.rest()).isEmpty();
    }
  }

  /** Empty: nobody is called, for a node without time to spare refuses what is new. */
  private Optional<Asking> asking(Fleet fleet, int index) {
    UdpPhone caller = phone(fleet, "alice-" + index);
    UdpPhone callee = phone(fleet, "bob-" + index);
    Await.until(
        "its callee is registered",
        WITHIN,
        () -> callee.ask(callee.registration(), WITHIN),
        answer -> answer.startsWith("SIP/2.0 200 "));
    String invite = caller.invitation("bob-" + index);
    long sinceNs = System.nanoTime();
    while (System.nanoTime() - sinceNs < WITHIN.toNanos()) {
      caller.send(invite);
      Optional<String> got =
          callee.receive(ANSWERED_WITHIN).filter(message -> message.startsWith("INVITE "));
      if (got.isPresent()) {
        callee.isInvited(got.get());
        return Optional.of(new Asking(caller, callee, invite, got.get()));
      }
      if (caller.rest().stream().anyMatch(message -> UdpPhone.isFinalTo(invite, message))) {
        return Optional.empty();
      }
    }
    return Optional.empty();
  }

  /** So many calls of one control node: of that of the first. */
  private List<Asking> askingAtOne(Fleet fleet, int count) {
    var found = new ArrayList<Asking>();
    for (int i = 0; i < MOST_CALLS && found.size() < count; i++) {
      Optional<Asking> asked = asking(fleet, i);
      if (asked.isEmpty()) {
        continue;
      }
      Asking call = asked.get();
      if (found.isEmpty() || nodeOf(fleet, call) == nodeOf(fleet, found.getFirst())) {
        found.add(call);
      } else {
        // Another node's: of no use here.
        call.callee().send(call.callee().answer(call.got(), "486 Busy Here", ""));
      }
    }
    assertThat(found).hasSize(count);
    return found;
  }

  private static int nodeOf(Fleet fleet, Asking call) {
    return fleet.controlOf(UdpPhone.branch(call.got()));
  }

  /**
   * A socket whose messages come to a node that goes on: the kernel spreads flows over all nodes,
   * whether they go on or not, and a phone has no other way to notice.
   */
  private UdpPhone way(Fleet fleet) {
    for (int i = 0; i < MOST_SOCKETS; i++) {
      UdpPhone socket = phone(fleet, "way");
      String options = socket.options();
      for (int repeat = 0; repeat < 3; repeat++) {
        socket.send(options);
        Optional<String> answer = socket.receive(Duration.ofMillis(300));
        if (answer.isPresent()) {
          return socket;
        }
      }
    }
    throw new AssertionError("no socket of " + MOST_SOCKETS + " reaches a node that goes on");
  }

  /** The caller takes its INVITE back, the callee says that it rings and then that it is over. */
  private static void isCancelled(Asking call, UdpPhone way) {
    UdpPhone callee = call.callee();
    String cancel = call.caller().cancellation(call.sent());
    assertThat(way.ask(cancel, WITHIN)).startsWith("SIP/2.0 200 ");
    way.send(callee.answer(call.got(), "180 Ringing", ""));
    String cancelled = callee.awaitRequest("CANCEL", WITHIN);
    way.send(callee.answer(cancelled, "200 OK", ""));
    way.send(callee.answer(call.got(), "487 Request Terminated", ""));
    assertThat(callee.awaitRequest("ACK", WITHIN)).isNotEmpty();
    String ended =
        call.caller().await("487", WITHIN, message -> UdpPhone.isFinalTo(call.sent(), message));
    assertThat(ended).startsWith("SIP/2.0 487 ");
    way.send(call.caller().acknowledgement(call.sent(), ended));
  }

  /** The callee answers, and the caller hangs up. */
  private static void isAnsweredAndHungUp(Asking call, UdpPhone way) {
    UdpPhone caller = call.caller();
    UdpPhone callee = call.callee();
    way.send(callee.answer(call.got(), "200 OK", callee.sdp()));
    String answered =
        caller.await("200", WITHIN, message -> UdpPhone.isFinalTo(call.sent(), message));
    assertThat(answered).startsWith("SIP/2.0 200 ");
    caller.joins(answered);
    way.send(caller.acknowledgement(call.sent(), answered));
    assertThat(callee.awaitRequest("ACK", WITHIN)).isNotEmpty();
    // Its answer comes to the socket that the BYE was sent from.
    String bye = caller.within("BYE", "");
    way.send(bye);
    String hungUp = callee.awaitRequest("BYE", WITHIN);
    way.send(callee.answer(hungUp, "200 OK", ""));
    assertThat(way.await("200", WITHIN, message -> UdpPhone.isFinalTo(bye, message)))
        .startsWith("SIP/2.0 200 ");
  }

  @Test
  void aNodeThatWakesSaysNothingOfCallsThatOthersHaveEndedMeanwhile() throws IOException {
    try (Fleet fleet = Fleets.start(folder, 3)) {
      List<Asking> calls = askingAtOne(fleet, 4);
      int victim = nodeOf(fleet, calls.getFirst());
      long sinceNs = System.nanoTime();
      fleet.signalControl(victim, "STOP");
      UdpPhone way = way(fleet);
      for (int i = 0; i < calls.size(); i++) {
        if (i % 2 == 0) {
          isCancelled(calls.get(i), way);
        } else {
          isAnsweredAndHungUp(calls.get(i), way);
        }
      }
      // What crossed with the above: repeats of what was not answered yet.
      calls.forEach(Asking::forget);
      Await.until(
          "it has stood still for long enough",
          PAUSE,
          () -> System.nanoTime() - sinceNs,
          passedNs -> passedNs > PAUSE.toNanos());
      assertThat(calls).allSatisfy(Asking::isQuiet);
      fleet.signalControl(victim, "CONT");
      Await.until(
          "it has let go what it had in hand",
          WITHIN,
          () -> fleet.metric(victim, "sip_cluster_handed_calls_total{what=\"let_go\"}"),
          count -> count >= calls.size());
      Await.until("it serves again", WITHIN, () -> fleet.isReady(victim), ready -> ready);
      assertThat(calls).allSatisfy(Asking::isQuiet);
      List<String> callIds = calls.stream().map(call -> call.caller().callId()).toList();
      Await.until(
          "each call has a record",
          WITHIN,
          fleet::cdrs,
          found -> found.keySet().containsAll(callIds));
      assertThat(fleet.cdrs()).allSatisfy((id, count) -> assertThat(count).as(id).isEqualTo(1));
    } finally {
      phones.forEach(UdpPhone::close);
    }
  }

  @Test
  void nobodyClaimsAnythingWhenAllStoodStill() throws IOException {
    List<Phase> phases = List.of(Phase.values());
    try (Fleet fleet = Fleets.start(folder, 3);
        var load = new Load(fleet, 11)) {
      load.begin(phases, false, 2);
      load.begin(phases, true, 1);
      List<String> callIds = load.callIds();
      assertThat(load.notHeld()).isEmpty();
      assertThat(callIds).hasSize(3 * phases.size());
      load.mark(0);
      fleet.signalControls("STOP");
      long sinceNs = System.nanoTime();
      Await.until(
          "they have stood still for long enough",
          PAUSE.plusSeconds(1),
          () -> System.nanoTime() - sinceNs,
          passedNs -> passedNs > PAUSE.toNanos());
      fleet.signalControls("CONT");
      load.release(phase -> true, SPREAD);
      load.awaitEnds(phase -> true, ENDS_WITHIN);
      assertThat(load.losses()).isEmpty();
      assertThat(load.failures()).isEmpty();
      Fleets.nobodyHasClaimedAnything(fleet);
      Fleets.awaitNothingLeft(fleet, callIds);
    }
  }
}
