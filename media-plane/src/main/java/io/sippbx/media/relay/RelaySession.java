package io.sippbx.media.relay;

import io.sippbx.shared.identity.CallKey;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A session: its streams, of the worker's thread, and what other threads ask of it.
 *
 * <p>What is asked for waits in one immutable value that is swapped, so a session stands at most
 * once in its worker's queue and the queue is bounded by the number of sessions.
 */
final class RelaySession {

  /**
   * What waits for the worker, in the order in which it is to be done.
   *
   * @param planBefore to be followed before opening
   * @param planAfter to be followed after opening
   */
  record Requests(
      @Nullable SessionPlan planBefore,
      @Nullable Opening opening,
      @Nullable SessionPlan planAfter,
      List<Consumer<SessionCounts>> closers) {

    static final Requests NONE = new Requests(null, null, null, List.of());

    boolean isNone() {
      return planBefore == null && opening == null && closers.isEmpty();
    }

    Requests withPlan(SessionPlan plan) {
      return opening == null
          ? new Requests(plan, null, null, closers)
          : new Requests(planBefore, opening, plan, closers);
    }

    Requests withOpening(Opening asked) {
      return new Requests(planBefore, asked, planAfter, closers);
    }

    Requests withCloser(Consumer<SessionCounts> closer) {
      var more = new ArrayList<>(closers);
      more.add(closer);
      return new Requests(planBefore, opening, planAfter, List.copyOf(more));
    }
  }

  /** The sockets that the session is to have: all of them, not only new ones. */
  record Opening(List<StreamPorts> ports, SessionPlan plan, Consumer<OpenResult> answer) {

    Opening {
      ports = List.copyOf(ports);
    }
  }

  final CallKey key;
  final RelayWorker worker;

  private final AtomicReference<Requests> requests = new AtomicReference<>(Requests.NONE);
  private final AtomicBoolean opening = new AtomicBoolean();

  /** Replaced as a whole by the worker; null until open. */
  private volatile @Nullable List<RelayStream> streams;

  /** Position in the worker's list once open; of the worker's thread. */
  int position = -1;

  /** Closed, or could not be opened; of the worker's thread. */
  boolean hasEnded;

  private long mediaTimeoutNs;
  private boolean timeoutTold;

  RelaySession(CallKey key, RelayWorker worker) {
    this.key = key;
    this.worker = worker;
  }

  // ---- from any thread

  void askToOpen(Opening asked) {
    if (!opening.compareAndSet(false, true)) {
      throw new IllegalStateException(
          "Expected the answer to the last open or rebind first, but another came for " + key);
    }
    ask(requests.getAndUpdate(now -> now.withOpening(asked)));
  }

  void askToFollow(SessionPlan plan) {
    ask(requests.getAndUpdate(now -> now.withPlan(plan)));
  }

  void askToClose(Consumer<SessionCounts> answer) {
    ask(requests.getAndUpdate(now -> now.withCloser(answer)));
  }

  private void ask(Requests before) {
    if (before.isNone()) {
      worker.enqueue(this);
    }
  }

  /** Empty until the session is open, and of the last state after it ended. */
  SessionCounts counts() {
    List<RelayStream> now = streams;
    return new SessionCounts(
        now == null ? List.of() : now.stream().map(RelayStream::counts).toList());
  }

  /** Whether the session has been opened. */
  boolean isOpen() {
    return streams != null;
  }

  // ---- from the worker's thread

  Requests takeRequests() {
    return requests.getAndSet(Requests.NONE);
  }

  /** To be called right before an opening is answered: from now on there may be another. */
  void openingDone() {
    opening.set(false);
  }

  List<RelayStream> streams() {
    List<RelayStream> now = streams;
    return now == null ? List.of() : now;
  }

  void hold(List<RelayStream> all) {
    streams = List.copyOf(all);
  }

  void follow(SessionPlan plan, long nowNs) {
    mediaTimeoutNs = plan.mediaTimeout().toNanos();
    for (RelayStream stream : streams()) {
      @Nullable StreamPlan planned = null;
      for (StreamPlan candidate : plan.streams()) {
        planned = candidate.index() == stream.index() ? candidate : planned;
      }
      if (planned == null) {
        stream.rest(nowNs);
      } else {
        stream.follow(planned, nowNs);
      }
    }
  }

  /** Tells the listener of silences that are new. */
  void lookForSilence(long nowNs) {
    if (mediaTimeoutNs == 0) {
      return;
    }
    boolean anyDue = false;
    boolean allSilent = true;
    List<RelayStream> now = streams();
    for (int i = 0; i < now.size(); i++) {
      RelayStream stream = now.get(i);
      boolean silentA = isSilent(stream.a(), nowNs);
      boolean silentB = isSilent(stream.b(), nowNs);
      anyDue |= stream.a().isDue() || stream.b().isDue();
      allSilent &= (silentA || !stream.a().isDue()) && (silentB || !stream.b().isDue());
      tellSilence(stream.index(), stream.a(), silentA);
      tellSilence(stream.index(), stream.b(), silentB);
    }
    boolean timedOut = anyDue && allSilent;
    if (timedOut && !timeoutTold) {
      worker.mediaTimeout(this);
    }
    timeoutTold = timedOut;
  }

  private boolean isSilent(StreamSide side, long nowNs) {
    return side.isDue() && side.silentNs(nowNs) >= mediaTimeoutNs;
  }

  private void tellSilence(int streamIndex, StreamSide side, boolean silent) {
    if (side.tellSilence(silent)) {
      worker.silence(this, streamIndex, side.end);
    }
  }
}
