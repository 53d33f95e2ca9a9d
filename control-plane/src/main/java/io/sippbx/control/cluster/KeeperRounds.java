package io.sippbx.control.cluster;

import io.sippbx.control.cluster.FailureDetector.Verdict;
import io.sippbx.control.cluster.TakeOver.Orphan;
import io.sippbx.control.cluster.TakeOver.Outcome;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.PartitionStore.DueTimer;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Member;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node does for the partitions that it keeps: claims timers that are due, and finds the
 * calls that were in flight on dead members; each is handed out under the partition's epoch.
 *
 * <ul>
 *   <li>Nothing is asked or handed out but in the term of the {@link SendLease} in which this node
 *       looked last, so a node that was paused, or could not reach the store, first looks who is
 *       there; what came meanwhile is dropped. A claimed timer comes again by itself.
 *   <li>Calls of a partition are looked for after the store has said that the epoch holds.
 *   <li>A partition is clean of a dead member when a whole pass through its list has found no call
 *       that was the member's. Keepers tell the store ({@link ClusterStore#swept}); when all
 *       partitions are clean the store forgets the member, and with the next look so do all nodes.
 *   <li>While the alarm is raised no call is looked for.
 * </ul>
 *
 * Lives on the loop of its {@link Membership}; counters are for any thread.
 */
public final class KeeperRounds {

  private static final Logger log = LoggerFactory.getLogger(KeeperRounds.class);

  private final Loop loop;
  private final KeeperSettings settings;
  private final SendLease lease;
  private final Keeperships keeperships;
  private final Stores stores;
  private final Ports ports;
  private final Allowance timers;
  private final Allowance takeOvers;
  private final TreeMap<Partition, Duty> duties = new TreeMap<>();
  private final SortedMap<Member, Report> reports = new TreeMap<>();
  private final LongAdder claimedTimers = new LongAdder();
  private final LongAdder handedCalls = new LongAdder();
  private final LongAdder takenOver = new LongAdder();
  private final LongAdder notIts = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder withheld = new LongAdder();
  private final LongAdder epochsLost = new LongAdder();
  private final LongAdder unavailable = new LongAdder();
  private final LongAdder alarms = new LongAdder();
  private Loop.@Nullable Timer next;
  private List<Member> dead = List.of();
  private final ConcurrentLinkedQueue<Runnable> answers = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean hearing = new AtomicBoolean();
  private long term = SendLease.NONE;

  /** Until then no duty has anything to ask, if none is new and nobody is dead. */
  private long idleUntilNs;

  private int inHand;
  private int first;
  private boolean alarmed;
  private boolean soon;
  private boolean stopped;

  /** What is asked. */
  public record Stores(PartitionStore partitions, ClusterStore cluster) {}

  /** To whom what was found is handed. */
  public record Ports(DueTimers timers, TakeOver takeOver) {}

  /** What was told to the store of one dead member. */
  private static final class Report {
    private boolean asking;
    private long nextNs;

    private Report(long nowNs) {
      this.nextNs = nowNs;
    }
  }

  /** Calls that were handed out together. */
  private final class Page {
    private final Duty duty;
    private final Sweep sweep;
    private final TreeSet<CallKey> open = new TreeSet<>();
    private Loop.@Nullable Timer timeout;

    private Page(Duty duty, Sweep sweep) {
      this.duty = duty;
      this.sweep = sweep;
    }

    private void hand(List<CallKey> calls, Member dead) {
      open.addAll(calls);
      timeout = loop.schedule(settings.takeOverTimeout(), this::timedOut);
      for (CallKey call : calls) {
        handedCalls.increment();
        ports
            .takeOver()
            .takeOver(
                new Orphan(call, dead, duty.epoch()),
                outcome -> loop.execute(() -> told(call, outcome)));
      }
    }

    private void told(CallKey call, Outcome outcome) {
      if (!open.remove(call)) {
        return;
      }
      inHand--;
      switch (outcome) {
        case TAKEN -> {
          takenOver.increment();
          sweep.found();
        }
        case NOT_ITS -> notIts.increment();
        case FAILED -> {
          failed.increment();
          sweep.found();
        }
      }
      if (open.isEmpty()) {
        done();
      }
    }

    private void timedOut() {
      inHand -= open.size();
      failed.add(open.size());
      open.clear();
      sweep.found();
      done();
    }

    private void done() {
      if (timeout != null) {
        timeout.cancel();
      }
      sweep.done(in(settings.again()));
      goOnSoon();
    }
  }

  /**
   * @param lease of this node, which its {@link Membership} renews
   * @param keeperships of this node, on the same loop
   */
  public KeeperRounds(
      Loop loop,
      KeeperSettings settings,
      SendLease lease,
      Keeperships keeperships,
      Stores stores,
      Ports ports) {
    this.loop = loop;
    this.settings = settings;
    this.lease = lease;
    this.keeperships = keeperships;
    this.stores = stores;
    this.ports = ports;
    this.timers = new Allowance(settings.timersPerSecond(), loop.nowNs());
    this.takeOvers = new Allowance(settings.takeOversPerSecond(), loop.nowNs());
  }

  /** Goes round from now on, as soon as it has been told who lives. Any thread. */
  public void start() {
    loop.execute(this::turn);
  }

  /** Asks and hands out no more. Any thread. */
  public void stop() {
    loop.execute(
        () -> {
          stopped = true;
          suspend();
          if (next != null) {
            next.cancel();
          }
        });
  }

  /** Who lives has been told; {@link Keeperships} have followed. On the loop. */
  public void follow(Verdict verdict) {
    if (verdict.alarm() && !alarmed) {
      alarms.increment();
      log.atError()
          .addKeyValue("living", verdict.living())
          .log("cluster.alarm: more than half of the nodes seem dead at once, none is taken over");
    }
    alarmed = verdict.alarm();
    long now = verdict.looking() ? lease.term(loop.nowNs(), loop.now()) : SendLease.NONE;
    if (now != term || stopped) {
      suspend();
      term = stopped ? SendLease.NONE : now;
    }
    List<Member> told =
        term == SendLease.NONE || alarmed
            ? List.of()
            : verdict.dead().subList(0, Math.min(settings.deadAtOnce(), verdict.dead().size()));
    for (Member each : told) {
      if (!dead.contains(each)) {
        log.atWarn().addKeyValue("member", each).log("cluster.member_dead");
      }
    }
    dead = List.copyOf(told);
    duties.values().forEach(duty -> duty.retain(dead));
    reports.keySet().retainAll(dead);
  }

  /** What was done so far. Any thread. */
  public KeeperCounts counts() {
    return new KeeperCounts(
        claimedTimers.sum(),
        handedCalls.sum(),
        takenOver.sum(),
        notIts.sum(),
        failed.sum(),
        withheld.sum(),
        epochsLost.sum(),
        unavailable.sum(),
        alarms.sum());
  }

  private long in(Duration time) {
    return loop.nowNs() + time.toNanos();
  }

  private void turn() {
    if (!stopped) {
      next = loop.schedule(settings.turn(), this::turn);
      goOn();
    }
  }

  /** Once for all answers that came together. */
  private void goOnSoon() {
    if (!soon) {
      soon = true;
      loop.execute(
          () -> {
            soon = false;
            goOn();
          });
    }
  }

  /** Answers for many partitions come together: the loop is woken once for them. Any thread. */
  private void onLoop(Runnable answer) {
    answers.add(answer);
    if (hearing.compareAndSet(false, true)) {
      loop.execute(this::hear);
    }
  }

  private void hear() {
    hearing.set(false);
    try {
      for (Runnable each = answers.poll(); each != null; each = answers.poll()) {
        each.run();
      }
    } finally {
      // One that throws does not have the others wait until the next comes.
      if (!answers.isEmpty() && hearing.compareAndSet(false, true)) {
        loop.execute(this::hear);
      }
    }
  }

  private boolean mayAct() {
    if (term != SendLease.NONE && lease.term(loop.nowNs(), loop.now()) != term) {
      suspend();
    }
    return term != SendLease.NONE;
  }

  private void suspend() {
    term = SendLease.NONE;
    dead = List.of();
    duties.clear();
  }

  private boolean isCurrent(Duty duty) {
    return mayAct() && duties.get(duty.partition()) == duty && isKept(duty);
  }

  private boolean isKept(Duty duty) {
    Long epoch = keeperships.kept().get(duty.partition());
    return epoch != null && epoch == duty.epoch();
  }

  private void goOn() {
    if (!mayAct()) {
      return;
    }
    long nowNs = loop.nowNs();
    if (dead.isEmpty() && duties.size() == keeperships.kept().size() && nowNs - idleUntilNs < 0) {
      return;
    }
    duties.values().removeIf(duty -> !isKept(duty));
    keeperships
        .kept()
        .forEach(
            (partition, epoch) ->
                duties.computeIfAbsent(partition, each -> new Duty(each, epoch, nowNs)));
    // Another is first each time, so that none waits for ever where there is more than may be done.
    List<Duty> all = new ArrayList<>(duties.tailMap(new Partition(first), true).values());
    all.addAll(duties.headMap(new Partition(first), false).values());
    first = (first + 1) % Partition.COUNT;
    for (Duty duty : all) {
      if (duty.isClaimDue(nowNs)) {
        claim(duty, nowNs);
      }
    }
    idleUntilNs = nowNs + settings.timersEvery().toNanos();
    for (Duty duty : all) {
      idleUntilNs = Math.min(idleUntilNs, duty.nextClaimNs());
    }
    for (Member member : dead) {
      for (Duty duty : all) {
        if (duty.isConfirmed() && duty.sweep(member, nowNs).isDue(nowNs)) {
          list(duty, member, nowNs);
        }
      }
      report(member, all, nowNs);
    }
  }

  private void claim(Duty duty, long nowNs) {
    int limit = timers.take(settings.timerBatch(), nowNs);
    if (limit > 0) {
      duty.claiming();
      stores
          .partitions()
          .claimTimers(
              duty.partition(),
              OptionalLong.of(duty.epoch()),
              limit,
              answer -> onLoop(() -> claimed(duty, limit, nowNs, answer)));
    }
  }

  /** All partitions are asked in the same turn: their questions go in one write. */
  private long nextRound(long nowNs) {
    long everyNs = settings.timersEvery().toNanos();
    return nowNs - Math.floorMod(nowNs, everyNs) + everyNs;
  }

  private void claimed(Duty duty, int limit, long askedNs, PartitionStore.Answer<DueTimer> answer) {
    switch (answer) {
      case PartitionStore.Batch<DueTimer>(List<DueTimer> due, boolean more) -> {
        timers.giveBack(limit - due.size());
        if (!isCurrent(duty)) {
          withheld.add(due.size());
          duties.remove(duty.partition(), duty);
          return;
        }
        duty.claimed(more ? loop.nowNs() : nextRound(askedNs));
        if (more || !dead.isEmpty()) {
          idleUntilNs = loop.nowNs();
          goOnSoon();
        }
        for (DueTimer each : due) {
          claimedTimers.increment();
          ports.timers().due(each, duty.epoch());
        }
      }
      case PartitionStore.Fenced<DueTimer> fenced -> {
        timers.giveBack(limit);
        if (duties.remove(duty.partition(), duty)) {
          epochsLost.increment();
        }
        keeperships.fenced(duty.partition(), duty.epoch());
        goOnSoon();
      }
      case PartitionStore.Unavailable<DueTimer> away -> {
        timers.giveBack(limit);
        unavailable.increment();
        duty.claimFailed(in(settings.timersEvery()));
      }
    }
  }

  private void list(Duty duty, Member member, long nowNs) {
    int room = settings.takeOversAtOnce() - inHand;
    int limit = takeOvers.take(Math.min(settings.takeOverBatch(), room), nowNs);
    if (limit > 0) {
      inHand += limit;
      Sweep sweep = duty.sweep(member, nowNs);
      sweep.asked();
      stores
          .partitions()
          .inFlight(
              duty.partition(),
              member.node(),
              sweep.after(),
              limit,
              answer -> onLoop(() -> listed(new Page(duty, sweep), member, limit, answer)));
    }
  }

  private void listed(Page page, Member member, int limit, PartitionStore.Answer<CallKey> answer) {
    switch (answer) {
      case PartitionStore.Batch<CallKey>(List<CallKey> calls, boolean more) -> {
        boolean current =
            isCurrent(page.duty)
                && dead.contains(member)
                && page.duty.sweep(member, loop.nowNs()) == page.sweep;
        int handed = current ? calls.size() : 0;
        takeOvers.giveBack(limit - handed);
        inHand -= limit - handed;
        if (!current) {
          withheld.add(calls.size());
          page.sweep.failed(in(settings.again()));
          return;
        }
        page.sweep.came(calls.isEmpty() ? Optional.empty() : Optional.of(calls.getLast()), more);
        if (calls.isEmpty()) {
          page.done();
        } else {
          page.hand(calls, member);
        }
      }
      // Lists are not fenced, but whoever does fence them is heard.
      case PartitionStore.Fenced<CallKey> fenced -> {
        notListed(page, limit);
        keeperships.fenced(page.duty.partition(), page.duty.epoch());
      }
      case PartitionStore.Unavailable<CallKey> away -> {
        unavailable.increment();
        notListed(page, limit);
      }
    }
  }

  private void notListed(Page page, int limit) {
    takeOvers.giveBack(limit);
    inHand -= limit;
    page.sweep.failed(in(settings.again()));
  }

  private void report(Member member, List<Duty> all, long nowNs) {
    List<Partition> clean =
        all.stream().filter(duty -> duty.isClean(member)).map(Duty::partition).sorted().toList();
    Report report = reports.computeIfAbsent(member, each -> new Report(nowNs));
    if (clean.isEmpty() || report.asking || nowNs - report.nextNs < 0) {
      return;
    }
    report.asking = true;
    report.nextNs = in(settings.again());
    stores
        .cluster()
        .swept(
            member,
            clean,
            answer -> {
              report.asking = false;
              if (answer instanceof ClusterStore.Answer.Found<Integer>(Integer missing)
                  && missing == 0) {
                log.atInfo().addKeyValue("member", member).log("cluster.member_swept");
              }
            });
  }
}
