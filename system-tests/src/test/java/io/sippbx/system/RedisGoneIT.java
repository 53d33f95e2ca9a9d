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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Redis is gone for ten seconds: only what ends or repeats is done, and nothing is lost (ADR 14).
 */
class RedisGoneIT {

  private static final Duration AWAY = Duration.ofSeconds(10);
  private static final Duration WITHIN = Duration.ofSeconds(30);
  private static final Duration ENDS_WITHIN = Duration.ofSeconds(45);
  private static final Duration T1 = Duration.ofMillis(500);
  private static final int TALKS = 3;

  @TempDir Path folder = Path.of("");

  private final List<UdpPhone> phones = new ArrayList<>();

  @AfterEach
  void closesPhones() {
    phones.forEach(UdpPhone::close);
  }

  /** How Redis goes, and comes back. */
  enum Way {
    /** It stands still: its sockets take what is sent, and what lies in them is done later. */
    STANDS_STILL,
    /** It ends, connections are refused, and another process has what was on the disk. */
    ENDS;

    void go(Fleet fleet) throws IOException {
      if (this == STANDS_STILL) {
        fleet.pauseRedis(true);
      } else {
        fleet.stopRedis();
      }
    }

    void comeBack(Fleet fleet) throws IOException {
      if (this == STANDS_STILL) {
        fleet.pauseRedis(false);
      } else {
        fleet.startRedis();
      }
    }
  }

  private UdpPhone phone(Fleet fleet, String user) {
    var phone = new UdpPhone(fleet.edge(), user);
    phones.add(phone);
    return phone;
  }

  /** A call and its INVITE, as the caller sent it and as the callee got it. */
  private record Talk(UdpPhone caller, UdpPhone callee, String sent, String got) {

    void isAnswered() {
      callee.send(callee.answer(got, "200 OK", callee.sdp()));
      acknowledgesTheAnswer();
    }

    /** The callee repeats its answer until the caller hears it, as RFC 3261 13.3.1.4 has it. */
    void acknowledgesTheAnswer() {
      String answered =
          Await.until(
                  "the caller hears the answer",
                  WITHIN,
                  () -> {
                    callee.send(callee.answer(got, "200 OK", callee.sdp()));
                    return caller.receive(T1).filter(each -> UdpPhone.isFinalTo(sent, each));
                  },
                  Optional::isPresent)
              .orElseThrow();
      assertThat(answered).startsWith("SIP/2.0 200 ");
      caller.joins(answered);
      caller.send(caller.acknowledgement(sent, answered));
      callee.awaitRequest("ACK", WITHIN);
    }

    void isHungUpByTheCaller() {
      String bye = caller.within("BYE", "");
      caller.send(bye);
      String got = callee.awaitRequest("BYE", WITHIN);
      callee.send(callee.answer(got, "200 OK", ""));
      assertThat(caller.ask(bye, WITHIN)).startsWith("SIP/2.0 200 ");
    }
  }

  private Talk ringing(Fleet fleet, String name) {
    UdpPhone caller = phone(fleet, name + "-a");
    UdpPhone callee = phone(fleet, name + "-b");
    assertThat(callee.ask(callee.registration(), WITHIN)).startsWith("SIP/2.0 200 ");
    String invite = caller.invitation(name + "-b");
    caller.send(invite);
    String got = callee.awaitRequest("INVITE", WITHIN);
    callee.isInvited(got);
    callee.send(callee.answer(got, "180 Ringing", ""));
    caller.await("180", WITHIN, each -> each.startsWith("SIP/2.0 180 "));
    return new Talk(caller, callee, invite, got);
  }

  private Talk up(Fleet fleet, String name) {
    Talk talk = ringing(fleet, name);
    talk.isAnswered();
    return talk;
  }

  private static void isRefusedForNow(String answer, int status) {
    assertThat(answer)
        .startsWith("SIP/2.0 " + status + " ")
        .containsPattern("\r\nRetry-After: \\d");
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void onlyWhatEndsOrRepeatsIsDoneAndAllGoesOnAfterwards(Way way) throws IOException {
    try (Fleet fleet = Fleets.start(folder, 2);
        var load = new Load(fleet, 3)) {
      load.begin(List.of(Phase.UP), false, TALKS);
      assertThat(load.notHeld()).isEmpty();
      Talk rings = ringing(fleet, "rings");
      Talk cancelled = ringing(fleet, "cancelled");
      Talk changed = up(fleet, "changed");
      Talk hungUp = up(fleet, "hung-up");
      UdpPhone stranger = phone(fleet, "stranger");
      load.mark(0);
      way.go(fleet);
      long sinceNs = System.nanoTime();

      assertThat(stranger.ask(stranger.options(), WITHIN)).startsWith("SIP/2.0 200 ");
      isRefusedForNow(stranger.ask(stranger.registration(), WITHIN), 503);
      String refused = stranger.invitation("rings-b");
      String refusal = stranger.ask(refused, WITHIN);
      isRefusedForNow(refusal, 503);
      stranger.send(stranger.acknowledgement(refused, refusal));
      // A repeat gets the last response.
      rings.caller().rest();
      rings.caller().send(rings.sent());
      assertThat(rings.caller().await("180", WITHIN, each -> each.startsWith("SIP/2.0 180 ")))
          .contains(UdpPhone.branch(rings.sent()));
      isCancelled(cancelled);
      String reinvite = changed.caller().within("INVITE", changed.caller().sdp());
      String notNow = changed.caller().ask(reinvite, WITHIN);
      isRefusedForNow(notNow, 500);
      changed.caller().send(changed.caller().acknowledgement(reinvite, notNow));
      hungUp.isHungUpByTheCaller();
      // A callee's answer waits; the callee repeats it.
      Await.until(
          "Redis has been away for long enough",
          AWAY.plusSeconds(5),
          () -> {
            rings.callee().send(rings.callee().answer(rings.got(), "200 OK", rings.callee().sdp()));
            assertThat(
                    rings
                        .caller()
                        .receive(T1)
                        .filter(each -> UdpPhone.isFinalTo(rings.sent(), each)))
                .isEmpty();
            return System.nanoTime() - sinceNs;
          },
          passedNs -> passedNs > AWAY.toNanos());

      way.comeBack(fleet);
      // A callee's failure is acknowledged once it is in the record.
      cancelled.callee().awaitRequest("ACK", WITHIN);
      rings.acknowledgesTheAnswer();
      rings.isHungUpByTheCaller();
      changed.isHungUpByTheCaller();
      assertThat(stranger.ask(stranger.registration(), WITHIN)).startsWith("SIP/2.0 200 ");
      load.release(phase -> true, Duration.ofSeconds(1));
      load.awaitEnds(phase -> true, ENDS_WITHIN);
      assertThat(load.losses()).isEmpty();
      // Media knew nothing of it.
      assertThat(load.longestSilenceMs()).isLessThan(AWAY.toMillis() / 2);
      Fleets.nobodyHasClaimedAnything(fleet);
      var callIds = new ArrayList<>(load.callIds());
      List.of(rings, cancelled, changed, hungUp)
          .forEach(each -> callIds.add(each.caller().callId()));
      Fleets.awaitNothingLeft(fleet, callIds);
    }
  }

  private static void isCancelled(Talk talk) {
    UdpPhone callee = talk.callee();
    String cancel = talk.caller().cancellation(talk.sent());
    talk.caller().send(cancel);
    String got = callee.awaitRequest("CANCEL", WITHIN);
    callee.send(callee.answer(got, "200 OK", ""));
    callee.send(callee.answer(talk.got(), "487 Request Terminated", ""));
    // The answer to the CANCEL has come before it, or comes anew.
    String ended =
        talk.caller().await("487", WITHIN, each -> UdpPhone.isFinalTo(talk.sent(), each));
    assertThat(ended).startsWith("SIP/2.0 487 ");
    talk.caller().send(talk.caller().acknowledgement(talk.sent(), ended));
  }
}
