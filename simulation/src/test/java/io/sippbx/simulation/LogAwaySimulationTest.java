package io.sippbx.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.store.OutboxEvent;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.proto.event.v1.RegistrationKind;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Calls go on for an hour of virtual time, or until it is full, and nobody takes their events. */
@DisplayName("an hour without Kafka")
class LogAwaySimulationTest {

  private static final Duration GOES = Duration.ofMinutes(1);
  private static final Duration HOUR = Duration.ofHours(1);

  /** The outboxes are full long before it is over. */
  private static final Duration LONG_ENOUGH = Duration.ofMinutes(15);

  /** Calls go on for so long when Kafka is back. */
  private static final Duration AFTERWARDS = Duration.ofMinutes(2);

  private static final Duration BETWEEN_CALLS = Duration.ofSeconds(3);

  /** From when Kafka answers again until it has what has waited. */
  private static final Duration CATCHES_UP = Duration.ofSeconds(60);

  /** For which who needs the events of a call in order waits for one that is missing. */
  private static final Duration LONGEST_GAP = Duration.ofSeconds(30);

  private static final List<CallKind> KINDS =
      List.of(
          CallKind.CALLER_HANGS_UP,
          CallKind.CALLEE_HANGS_UP,
          CallKind.BUSY,
          CallKind.DECLINED,
          CallKind.EARLY_MEDIA);

  private static List<PlannedCall> calls(Duration until) {
    var calls = new ArrayList<PlannedCall>();
    for (Duration at = BETWEEN_CALLS; at.compareTo(until) < 0; at = at.plus(BETWEEN_CALLS)) {
      int number = calls.size();
      calls.add(
          new PlannedCall(
              number,
              at,
              KINDS.get(number % KINDS.size()),
              number % Scenario.PHONES,
              number / 3 % Scenario.PHONES,
              Duration.ofSeconds(1 + number % 40),
              number * 7_919 % 1_000));
    }
    return calls;
  }

  private static Watch run(Fault away, Fault... kills) {
    var faults = new ArrayList<>(List.of(kills));
    faults.add(away);
    var scenario = new Scenario(11, 2, 1, 1, 0, 5, calls(away.ends().plus(AFTERWARDS)), faults);
    var watches = new ArrayList<Watch>();
    Outcome outcome =
        Simulation.run(
            scenario,
            Plants.NONE,
            1_000,
            view -> {
              watches.add(new Watch(view, away));
              return List.copyOf(watches);
            });
    assertThat(outcome.violations()).as(String.join("\n", outcome.trace())).isEmpty();
    return watches.getFirst();
  }

  /** With room for four events in an outbox, where it is about that. */
  private static Fault away(Fault.Kind kind, Duration lasts) {
    return new Fault(GOES, lasts, kind, 0, 3);
  }

  private static Fault killAll(Duration at) {
    return new Fault(at, Duration.ofSeconds(5), Fault.Kind.KILL_ALL_CONTROL, 0, 0);
  }

  @Test
  void losesNothingBelowTheLimitOfTheOutboxes() {
    // What a node that is killed has in its hands is in the outboxes, too.
    Fault away = away(Fault.Kind.LOG_AWAY, HOUR);
    Watch watch =
        run(
            away,
            killAll(GOES.plusMinutes(20)),
            killAll(away.ends().minusSeconds(2)),
            killAll(away.ends().plusMillis(5_500)));
    assertThat(watch.refusals).as("calls that were refused").isZero();
    assertThat(watch.arrivedMeanwhile).isZero();
    assertThat(watch.waited).as("events that waited").isGreaterThan(4_000);
    assertThat(watch.mostMeasured)
        .as("what a node measures at most is what there is")
        .isBetween(watch.waited * 9L / 10, (long) watch.committed.size());
    assertThat(watch.measuredAtRest).isZero();
    assertThat(watch.expired)
        .as("registrations that ran out meanwhile, each told once")
        .hasSize(Scenario.PHONES)
        .allSatisfy(
            (aor, times) -> {
              assertThat(aor).contains("far");
              assertThat(times).isEqualTo(1);
            });
    watch.hasAllInTime();
  }

  @Test
  void takesNoNewCallsAtTheLimitAndLetsThoseEndThatAreUp() {
    Watch watch = run(away(Fault.Kind.OUTBOX_FULL, LONG_ENOUGH));
    assertThat(watch.refusals).as("calls that were refused").isGreaterThan(100);
    assertThat(watch.arrivedMeanwhile).isZero();
    assertThat(watch.fullestMeasured).as("what the alarm stands on").isGreaterThanOrEqualTo(4);
    assertThat(watch.endsAtTheLimit).as("calls that ended at the limit").isPositive();
    assertThat(watch.refusedAfterwards).as("refused when Kafka was back").isZero();
    assertThat(watch.startedAfterwards)
        .as("calls that began when it was back")
        .containsExactlyInAnyOrderElementsOf(watch.plannedAfterwards());
    watch.hasAllInTime();
  }

  /** What is committed, what arrives, and when. */
  private static final class Watch extends Invariant {

    private final Duration comes;
    private final Map<String, Duration> committed = new LinkedHashMap<>();
    private final Map<String, Duration> arrived = new LinkedHashMap<>();
    private final Map<String, TreeSet<Integer>> numbers = new TreeMap<>();
    private final Map<String, Duration> gaps = new TreeMap<>();
    private final Map<String, Integer> expired = new TreeMap<>();
    private Duration longestGap = Duration.ZERO;
    private int refusals;
    private int refusedAfterwards;
    private final List<PlannedCall> startedAfterwards = new ArrayList<>();
    private int endsAtTheLimit;
    private int arrivedMeanwhile;
    private int waited;
    private long mostMeasured;
    private long fullestMeasured;
    private long measuredAtRest = -1;

    Watch(View view, Fault away) {
      super(view);
      comes = away.ends();
      for (Duration at = Duration.ofSeconds(30);
          at.compareTo(comes.plus(AFTERWARDS)) < 0;
          at = at.plusSeconds(10)) {
        view.at(Simulation.BEGIN.plus(at), this::measure);
      }
    }

    @Override
    String says() {
      return "what waits for an hour is all there afterwards";
    }

    private Duration now() {
      return view().now().minus(Simulation.BEGIN);
    }

    private boolean isAway() {
      return now().compareTo(GOES) > 0 && now().compareTo(comes) < 0;
    }

    private boolean isBack() {
      return now().compareTo(comes.plus(CATCHES_UP)) > 0;
    }

    private void measure() {
      view()
          .measured()
          .ifPresent(
              measured -> {
                mostMeasured = Math.max(mostMeasured, measured.events());
                fullestMeasured = Math.max(fullestMeasured, measured.fullest());
                measuredAtRest = measured.events();
              });
    }

    @Override
    void sent(String node, Network.Sent sent) {
      if (sent.message() instanceof SipResponse response && response.status() == 503) {
        if (!response.hasHeader(HeaderName.RETRY_AFTER)) {
          violated("a call is refused without a word of when to try again");
        }
        if (isStruck(kind -> kind == Fault.Kind.KILL_ALL_CONTROL)) {
          // A node that has just begun knows of no media yet.
          return;
        }
        refusals++;
        refusedAfterwards += isBack() ? 1 : 0;
      }
    }

    @Override
    void told(OutboxEvent event) {
      committed.put(event.id(), now());
      switch (event) {
        case OutboxEvent.OfCall(CallEvent ofCall) -> {
          if (isBack() && ofCall.hasStarted()) {
            CallKey.prefixOf(ofCall.getCallKey())
                .flatMap(view()::plan)
                .ifPresent(startedAfterwards::add);
          }
          endsAtTheLimit += isAway() && refusals > 0 && ofCall.hasEnded() ? 1 : 0;
        }
        case OutboxEvent.OfRegistration(RegistrationEvent ofRegistration) -> {
          if (ofRegistration.getKind() == RegistrationKind.REGISTRATION_KIND_EXPIRED) {
            expired.merge(ofRegistration.getAor(), 1, Integer::sum);
          }
        }
      }
    }

    @Override
    void arrived(OutboxEvent event) {
      arrivedMeanwhile += isAway() ? 1 : 0;
      Duration told = committed.get(event.id());
      if (told == null || arrived.putIfAbsent(event.id(), now()) != null) {
        return;
      }
      waited += now().minus(told).compareTo(CATCHES_UP) > 0 ? 1 : 0;
      if (event instanceof OutboxEvent.OfCall(CallEvent ofCall)) {
        number(ofCall);
      }
    }

    private void number(CallEvent event) {
      String call = event.getCallKey();
      TreeSet<Integer> seen = numbers.computeIfAbsent(call, key -> new TreeSet<>());
      seen.add(event.getSeq());
      if (seen.size() < seen.last()) {
        gaps.putIfAbsent(call, now());
      } else {
        Duration since = gaps.remove(call);
        if (since != null && now().minus(since).compareTo(longestGap) > 0) {
          longestGap = now().minus(since);
        }
      }
    }

    List<PlannedCall> plannedAfterwards() {
      return view().scenario().calls().stream()
          .filter(call -> call.at().compareTo(comes.plus(CATCHES_UP)) >= 0)
          .toList();
    }

    void hasAllInTime() {
      assertThat(arrived.keySet()).containsExactlyInAnyOrderElementsOf(committed.keySet());
      assertThat(longestGap).as("a later event of a call is there").isLessThan(LONGEST_GAP);
      committed.forEach(
          (id, told) -> {
            if (told.compareTo(comes) < 0) {
              assertThat(arrived.get(id))
                  .as("%s, committed at %s", id, told)
                  .isLessThan(comes.plus(CATCHES_UP));
            }
          });
    }
  }
}
