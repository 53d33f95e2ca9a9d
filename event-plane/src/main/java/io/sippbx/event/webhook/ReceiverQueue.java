package io.sippbx.event.webhook;

import io.sippbx.event.webhook.CallLane.State;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.OptionalLong;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * What is to be done, and when, with the events for one receiver: a call's events go one after
 * another, those of other calls beside them; what was not taken is tried again, and put aside at
 * last. It does nothing itself: {@link #poll} says what is to be done. One thread at a time; time
 * is given to it.
 */
final class ReceiverQueue {

  /**
   * How much, and how long.
   *
   * @param concurrency attempts at once
   * @param capacity events in hand at once
   * @param gap for which an event waits for those of its call that are missing; zero where they
   *     come in order
   * @param spills whether what is beyond the capacity is put aside; else there is no room for it
   * @param remembered calls whose events are known when they come again
   */
  record Limits(int concurrency, int capacity, Duration gap, boolean spills, int remembered) {}

  /** What is to be done. */
  sealed interface Action {
    /** Post it, and say what became of it by {@link #answered}. */
    record Post(WebhookItem item) implements Action {}

    /** Put it aside, and say whether that was done by {@link #putAside}. */
    record PutAside(WebhookItem item, String reason) implements Action {}

    /** It need not come again. */
    record Done(List<Runnable> dones) implements Action {}
  }

  /** Why an event is put aside for which there was no room. */
  static final String NO_ROOM = "too many were waiting";

  private static final Duration ASIDE_RETRY = Duration.ofSeconds(5);

  private final Limits limits;
  private final RetrySchedule schedule;
  private final LinkedHashMap<String, CallLane> lanes = new LinkedHashMap<>(64, 0.75f, true);
  private final Deque<CallLane> runnable = new ArrayDeque<>();
  private final PriorityQueue<Wake> wakes =
      new PriorityQueue<>(Comparator.comparingLong(Wake::atNs).thenComparingLong(Wake::ordinal));
  private final Deque<Action> actions = new ArrayDeque<>();
  private final Deque<Spill> spills = new ArrayDeque<>();

  private long ordinal;
  private int inHand;
  private int posting;
  private long pausedUntilNs;
  private boolean paused;

  private long repeats;
  private long gaps;
  private long late;
  private long spilled;

  private record Wake(long atNs, long ordinal, CallLane lane) {}

  /** What did not go through a lane and could not be put aside yet. */
  private record Spill(long atNs, WebhookItem item) {}

  ReceiverQueue(Limits limits, RetrySchedule schedule) {
    this.limits = limits;
    this.schedule = schedule;
  }

  /**
   * An event has come.
   *
   * @param wanted whether this receiver is to have it
   * @return false if there is no room: it is to come again later
   */
  boolean offer(Webhook webhook, boolean wanted, Runnable done, long nowNs) {
    CallLane known = lanes.get(webhook.subject());
    if (known != null) {
      WebhookItem same = known.inHand(webhook.id());
      if (same != null) {
        repeats++;
        same.alsoFor(done);
        return true;
      }
      if (known.knows(webhook.seq(), webhook.id())) {
        repeats++;
        actions.add(new Action.Done(List.of(done)));
        return true;
      }
    }
    if (inHand >= limits.capacity()) {
      return spill(webhook, wanted, done);
    }
    CallLane lane = lanes.computeIfAbsent(webhook.subject(), CallLane::new);
    var item = new WebhookItem(webhook, wanted, done);
    inHand++;
    if (lane.isLate(webhook.seq())) {
      late++;
    }
    if (!limits.gap().isZero() && lane.isEarly(webhook.seq())) {
      boolean waited = lane.hasGap();
      if (lane.addEarly(item)) {
        if (!waited) {
          waitForMissing(lane, nowNs);
        }
        forgetOldest();
        return true;
      }
    }
    lane.addReady(item);
    if (!lane.hasGap()) {
      lane.gapEndNs = 0;
    }
    run(lane);
    forgetOldest();
    dispatch(nowNs);
    return true;
  }

  /** No room: it is put aside at once, so that who brings events need not wait. */
  private boolean spill(Webhook webhook, boolean wanted, Runnable done) {
    if (!limits.spills() || inHand >= 2 * limits.capacity()) {
      return false;
    }
    CallLane lane = lanes.computeIfAbsent(webhook.subject(), CallLane::new);
    lane.passTo(webhook.seq() + 1);
    lane.remember(webhook.seq(), webhook.id());
    if (wanted) {
      inHand++;
      spilled++;
      actions.add(new Action.PutAside(new WebhookItem(webhook, true, done), NO_ROOM));
    } else {
      actions.add(new Action.Done(List.of(done)));
    }
    forgetOldest();
    return true;
  }

  /** An event with which it was done before this process started. */
  void recall(String subject, int seq, String id) {
    CallLane lane = lanes.computeIfAbsent(subject, CallLane::new);
    if (lane.inHand(id) == null && !lane.knows(seq, id)) {
      lane.passTo(seq + 1);
      lane.remember(seq, id);
      run(lane);
    }
    forgetOldest();
  }

  /** An attempt has ended. */
  void answered(WebhookItem item, Outcome outcome, long nowNs) {
    posting--;
    CallLane lane = laneOf(item);
    switch (outcome) {
      case Outcome.Delivered delivered -> settle(lane, item);
      case Outcome.Refused(int status, String problem) -> putAside(lane, item, problem);
      case Outcome.Again(int status, String problem, var after) -> {
        if (after.isPresent() && (status == 429 || status == 503)) {
          // It is the receiver that has enough, not the call.
          pause(nowNs + RetrySchedule.bounded(after.get()).toNanos());
        }
        var next = schedule.pause(item.attempts(), after);
        if (next.isPresent()) {
          park(lane, nowNs + next.get().toNanos());
        } else {
          putAside(lane, item, problem);
        }
      }
    }
    dispatch(nowNs);
  }

  /** Putting an event aside has ended. */
  void putAside(WebhookItem item, boolean isKept, long nowNs) {
    CallLane lane = lanes.get(item.webhook().subject());
    boolean isOfLane = lane != null && lane.head() == item;
    if (isKept) {
      if (isOfLane && lane != null) {
        settle(lane, item);
      } else {
        finish(item);
      }
    } else if (isOfLane && lane != null) {
      park(lane, nowNs + ASIDE_RETRY.toNanos());
    } else {
      spills.add(new Spill(nowNs + ASIDE_RETRY.toNanos(), item));
    }
    dispatch(nowNs);
  }

  /** Does what is due. */
  void advance(long nowNs) {
    for (Wake first = wakes.peek();
        first != null && first.atNs() - nowNs <= 0;
        first = wakes.peek()) {
      wakes.remove();
      wake(first, nowNs);
    }
    for (Spill first = spills.peek();
        first != null && first.atNs() - nowNs <= 0;
        first = spills.peek()) {
      spills.remove();
      actions.add(new Action.PutAside(first.item(), NO_ROOM));
    }
    if (paused && pausedUntilNs - nowNs <= 0) {
      paused = false;
    }
    dispatch(nowNs);
  }

  private void wake(Wake wake, long nowNs) {
    CallLane lane = wake.lane();
    if (lane.state == State.PARKED && lane.wakeNs == wake.atNs()) {
      lane.state = State.IDLE;
      run(lane);
    }
    if (lane.hasGap() && lane.gapEndNs == wake.atNs()) {
      gaps++;
      lane.passGap();
      if (lane.hasGap()) {
        waitForMissing(lane, nowNs);
      }
      run(lane);
    }
  }

  /** What is to be done now; null if nothing is. */
  @Nullable Action poll() {
    return actions.poll();
  }

  /** When {@link #advance} has something to do; empty: not before something else happens. */
  OptionalLong nextAtNs() {
    OptionalLong next = OptionalLong.empty();
    if (!wakes.isEmpty()) {
      next = OptionalLong.of(wakes.element().atNs());
    }
    if (!spills.isEmpty()) {
      next = earlier(next, spills.element().atNs());
    }
    if (paused && !runnable.isEmpty()) {
      next = earlier(next, pausedUntilNs);
    }
    return next;
  }

  private static OptionalLong earlier(OptionalLong one, long otherNs) {
    return one.isEmpty() || otherNs - one.getAsLong() < 0 ? OptionalLong.of(otherNs) : one;
  }

  private void waitForMissing(CallLane lane, long nowNs) {
    lane.gapEndNs = nowNs + limits.gap().toNanos();
    wakes.add(new Wake(lane.gapEndNs, ordinal++, lane));
  }

  private void pause(long untilNs) {
    if (!paused || untilNs - pausedUntilNs > 0) {
      paused = true;
      pausedUntilNs = untilNs;
    }
  }

  private void park(CallLane lane, long untilNs) {
    lane.state = State.PARKED;
    lane.wakeNs = untilNs;
    wakes.add(new Wake(untilNs, ordinal++, lane));
  }

  private CallLane laneOf(WebhookItem item) {
    CallLane lane = lanes.get(item.webhook().subject());
    if (lane == null || lane.head() != item) {
      throw new IllegalStateException("Expected the first event of its call: " + item.webhook());
    }
    return lane;
  }

  private void putAside(CallLane lane, WebhookItem item, String reason) {
    lane.deadReason = reason;
    lane.state = State.BUSY;
    actions.add(new Action.PutAside(item, reason));
  }

  private void settle(CallLane lane, WebhookItem item) {
    lane.removeHead();
    lane.deadReason = null;
    lane.remember(item.webhook().seq(), item.webhook().id());
    finish(item);
    lane.state = State.IDLE;
    run(lane);
  }

  private void finish(WebhookItem item) {
    inHand--;
    actions.add(new Action.Done(item.dones()));
  }

  /** Lets the lane go on, if it stands still. */
  private void run(CallLane lane) {
    if (lane.state != State.IDLE) {
      return;
    }
    WebhookItem head = lane.head();
    while (head != null && !head.isWanted()) {
      lane.removeHead();
      lane.remember(head.webhook().seq(), head.webhook().id());
      finish(head);
      head = lane.head();
    }
    if (head != null) {
      lane.state = State.RUNNABLE;
      runnable.add(lane);
    }
  }

  /** Begins as many attempts as may be made now. */
  private void dispatch(long nowNs) {
    while (!runnable.isEmpty()) {
      CallLane lane = runnable.element();
      WebhookItem head = lane.head();
      if (head == null) {
        throw new IllegalStateException("Expected an event of " + lane.subject());
      }
      boolean isDead = lane.deadReason != null;
      if (!isDead && (posting >= limits.concurrency() || paused && pausedUntilNs - nowNs > 0)) {
        return;
      }
      runnable.remove();
      lane.state = State.BUSY;
      if (isDead) {
        actions.add(new Action.PutAside(head, String.valueOf(lane.deadReason)));
      } else {
        posting++;
        head.attempt();
        actions.add(new Action.Post(head));
      }
    }
  }

  /** Calls of which nothing is in hand are forgotten first. */
  private void forgetOldest() {
    if (lanes.size() <= limits.remembered()) {
      return;
    }
    // Those in hand are bounded by the capacity: they go to the end, a few each time.
    for (int looked = 0; looked < 8; looked++) {
      CallLane oldest = lanes.firstEntry().getValue();
      if (oldest.isEmpty()) {
        lanes.remove(oldest.subject());
        return;
      }
      lanes.putLast(oldest.subject(), oldest);
    }
  }

  /** Events in hand. */
  int inHand() {
    return inHand;
  }

  /** Attempts that have not ended. */
  int posting() {
    return posting;
  }

  /** Calls that are known. */
  int known() {
    return lanes.size();
  }

  /** Events that came again. */
  long repeats() {
    return repeats;
  }

  /** Times that what was missing was given up. */
  long gaps() {
    return gaps;
  }

  /** Events that came after those that follow them had gone. */
  long late() {
    return late;
  }

  /** Events that were put aside because there was no room. */
  long spilled() {
    return spilled;
  }
}
