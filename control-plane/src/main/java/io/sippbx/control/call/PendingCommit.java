package io.sippbx.control.call;

import io.sippbx.control.event.CallHappening;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallIndex;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.Versioned;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A commit under way, with what brought it about. The same one is sent until its outcome is known.
 * Lives on the call's loop.
 */
final class PendingCommit {

  private final CallCommit<Call> commit;
  private final Waiting waiting;
  private final Decision decision;
  private final long sinceNs;
  private boolean endsDone;
  private boolean refused;

  private PendingCommit(CallCommit<Call> commit, Waiting waiting, Decision decision, long sinceNs) {
    this.commit = commit;
    this.waiting = waiting;
    this.decision = decision;
    this.sinceNs = sinceNs;
  }

  /**
   * @param before the record on which the decision was made; empty: there was none
   * @param epoch of the keeper who has claimed the call
   * @param sinceNs when what led to it was decided
   */
  static PendingCommit of(
      CallRuntime runtime,
      CallKey key,
      Optional<Versioned<Call>> before,
      OptionalLong epoch,
      Waiting waiting,
      Decision decision,
      long sinceNs) {
    CommitId id = runtime.nextCommitId();
    Instant now = runtime.loop().now();
    Optional<Call> next = decision.call();
    List<CallHappening> happenings = decision.happenings();
    List<CallEvent> events =
        next.map(
                each ->
                    runtime
                        .encoder()
                        .encode(
                            key,
                            id.toString(),
                            each.counters().events() - happenings.size() + 1,
                            now,
                            happenings))
            .orElse(List.of());
    var commit =
        new CallCommit<>(
            key,
            before,
            id,
            next,
            events,
            next.map(each -> CallPlaces.index(each, runtime.self())).orElse(CallIndex.NONE),
            next.map(each -> CallPlaces.keep(each, now)).orElse(CallCommit.LAST_RESORT),
            epoch);
    return new PendingCommit(commit, waiting, decision, sinceNs);
  }

  CallCommit<Call> commit() {
    return commit;
  }

  Waiting waiting() {
    return waiting;
  }

  Decision decision() {
    return decision;
  }

  /** How long it has been under way, and waited for the media node before. */
  Duration age(long nowNs) {
    return Duration.ofNanos(nowNs - sinceNs);
  }

  /** What only ends of the decision, to be done before the outcome is known; once. */
  List<Effect> takeEnds() {
    if (endsDone) {
      return List.of();
    }
    endsDone = true;
    return EndEffects.of(decision.effects());
  }

  /** Whether what only ends has been done already. */
  boolean isEndsDone() {
    return endsDone;
  }

  /** What is to be done once it stands. */
  List<Effect> effects() {
    return endsDone ? EndEffects.without(decision.effects()) : decision.effects();
  }

  /** Who asked was told that it is not done. */
  void refuse() {
    refused = true;
  }

  boolean isRefused() {
    return refused;
  }

  /** The record once it stands as {@code version}. */
  Optional<Versioned<Call>> standing(long version) {
    return commit
        .record()
        .map(next -> new Versioned<>(version, commit.id(), next, commit.index().owner()));
  }
}
