package io.sippbx.simulation;

import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What an invariant looks at, of one call, as its test says. */
final class Looks implements Invariant.View {

  static final CallKey CALL = CallKey.ofBytes(new byte[16]);
  static final Instant BEGAN = Instant.parse("2026-01-01T00:00:00Z");

  final List<String> violations = new ArrayList<>();
  final Set<String> forgotten = new LinkedHashSet<>();
  Duration now = Duration.ZERO;
  boolean setBack;
  boolean gone;
  private final List<Runnable> looks = new ArrayList<>();
  private final Scenario scenario;

  /** Of a run with this one call and these faults. */
  Looks(CallKind kind, Fault... faults) {
    var call = new PlannedCall(0, Duration.ofSeconds(1), kind, 0, 0, Duration.ofSeconds(5), 100);
    scenario = new Scenario(1, 1, 1, 1, 0, 5, List.of(call), List.of(faults));
  }

  @Override
  public Duration now() {
    return now;
  }

  @Override
  public Instant began() {
    return BEGAN;
  }

  @Override
  public Scenario scenario() {
    return scenario;
  }

  @Override
  public Optional<PlannedCall> plan(CallKey call) {
    return Optional.of(scenario.calls().getFirst());
  }

  @Override
  public Optional<String> owner(CallKey call) {
    return Optional.empty();
  }

  @Override
  public boolean isRefusalLost(int call) {
    return false;
  }

  @Override
  public boolean wasSetBack(CallKey call) {
    return setBack;
  }

  @Override
  public boolean wasSetBack(int call) {
    return setBack;
  }

  @Override
  public boolean hasLost(CallKey call, String start) {
    return false;
  }

  @Override
  public boolean hasJustGivenUp(CallKey call, String start) {
    return false;
  }

  @Override
  public boolean isForgotten(CallKey call) {
    return gone;
  }

  @Override
  public boolean wasForgotten(CallKey call) {
    return false;
  }

  @Override
  public boolean isForgotten(String event) {
    return forgotten.contains(event);
  }

  @Override
  public boolean isForgotten(int call) {
    return gone;
  }

  @Override
  public void at(Duration time, Runnable look) {
    looks.add(look);
  }

  /** It is time for all that is to be looked at. */
  void look() {
    List<Runnable> due = List.copyOf(looks);
    looks.clear();
    due.forEach(Runnable::run);
  }

  @Override
  public Invariant.Outbox outbox(CallKey call) {
    return new Invariant.Outbox(0, 0);
  }

  @Override
  public Optional<Invariant.Measured> measured() {
    return Optional.empty();
  }

  @Override
  public void violated(Invariant which, String how) {
    violations.add(how);
  }

  @Override
  public Optional<String> leftovers() {
    return Optional.empty();
  }
}
