package io.sippbx.control.store;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.telemetry.RateLimitedLog;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * A store of calls whose fail-over may lose what it has acknowledged: remembers what this node
 * committed last, and writes it back where the store turns out to hold none of it or something
 * before it.
 *
 * <p>That is found out by the answers to reads and commits, which then tell of the record that was
 * written back as if it had never been lost; and by {@link #offerAgain} for the calls that nobody
 * asks about. An answer comes within three times the store's time-out. A newer record in the store
 * stands: it is read and decided upon again. But where what was lost is the end of a call, and
 * another has gone on from before it, the end is committed on that: nothing else follows on an end,
 * and both phones have put down.
 */
public final class RestoringCallStore<R> implements CallStore<R> {

  /** Records of one loop that are offered at once. */
  static final int BATCH = 32;

  /** Between two rounds for those that had no answer. */
  static final Duration RETRY = Duration.ofSeconds(1);

  /** Rounds at most. */
  static final int ROUNDS = 60;

  private static final Logger log = LoggerFactory.getLogger(RestoringCallStore.class);
  private static final RateLimitedLog losses = RateLimitedLog.of(log);

  private final CallStore<R> store;
  private final List<Shard> shards;
  private final LongAdder restored = new LongAdder();
  private final LongAdder offers = new LongAdder();

  /**
   * @param store answers on the loop of each call's key
   * @param loops the store's
   * @param limit calls of which the last commit is remembered for {@link RecentCommits#WINDOW}; of
   *     more the oldest are forgotten and counted; 0: nothing is remembered
   * @param ended whether a record is that of a call that is over, on which nothing follows
   */
  public RestoringCallStore(CallStore<R> store, Loops loops, int limit, Predicate<R> ended) {
    if (limit < 0) {
      throw new IllegalArgumentException("Expected a limit of 0 or more, but got " + limit);
    }
    this.store = store;
    var made = new ArrayList<Shard>();
    int each = limit == 0 ? 0 : Math.max(1, limit / loops.all().size());
    for (Loop loop : loops.all()) {
      made.add(new Shard(loop, each, ended));
    }
    this.shards = List.copyOf(made);
  }

  private Shard of(CallKey call) {
    return shards.get(Math.floorMod(call.hashCode(), shards.size()));
  }

  @Override
  public void read(CallKey call, Consumer<ReadAnswer<R>> answer) {
    store.read(call, said -> of(call).read(call, said, answer));
  }

  @Override
  public void commit(CallCommit<R> commit, Consumer<CommitAnswer<R>> answer) {
    store.commit(commit, said -> of(commit.call()).committed(commit, said, answer));
  }

  @Override
  public void restore(CallRestore<R> restore, Consumer<CommitAnswer<R>> answer) {
    store.restore(restore, answer);
  }

  @Override
  public void fold(CallKey call, CommitId commit, Supplier<R> again) {
    of(call).recent.fold(call, commit, again);
    store.fold(call, commit, again);
  }

  @Override
  public Optional<RecordCodec.Encoded> written(CallKey call, CommitId commit) {
    return store.written(call, commit);
  }

  @Override
  public void released(CallKey call) {
    store.released(call);
  }

  @Override
  public void unfold(CallKey call, CommitId commit, RecordCodec.Encoded as) {
    store.unfold(call, commit, as);
  }

  /**
   * The store may have failed over: all that is remembered is written back as far as it was lost,
   * in bounded batches. Until then a call that is missing after long is taken for one that has
   * ended: the server is the same, and only this node could not reach it. Any thread.
   */
  public void offerAgain() {
    offers.increment();
    for (Shard each : shards) {
      each.loop.execute(each::offer);
    }
  }

  /** Records that were lost and written back. */
  public long restored() {
    return restored.sum();
  }

  /** How often all that is remembered was offered. */
  public long offers() {
    return offers.sum();
  }

  /** Calls whose last commit is remembered. */
  public int remembered() {
    int sum = 0;
    for (Shard each : shards) {
      sum += each.size;
    }
    return sum;
  }

  /** Calls that were forgotten for the limit before their time. */
  public long forgottenEarly() {
    long sum = 0;
    for (Shard each : shards) {
      sum += each.forgottenEarly;
    }
    return sum;
  }

  /** The calls of one loop; lives on it. */
  private final class Shard {
    private final Loop loop;
    private final RecentCommits<R> recent;
    private final Deque<CallRestore<R>> offering = new ArrayDeque<>();
    private final List<CallRestore<R>> unanswered = new ArrayList<>();
    private int underWay;
    private int round;
    private volatile int size;
    private volatile long forgottenEarly;

    Shard(Loop loop, int limit, Predicate<R> ended) {
      this.loop = loop;
      this.recent = new RecentCommits<>(limit, ended);
    }

    private void count() {
      size = recent.size();
      forgottenEarly = recent.forgottenEarly();
    }

    void read(CallKey call, ReadAnswer<R> said, Consumer<ReadAnswer<R>> answer) {
      if (!(said instanceof ReadAnswer.Unavailable<R>)) {
        recent.answered(loop.nowNs());
      }
      if (said instanceof ReadAnswer.Found<R>(var current)) {
        Optional<CallCommit<R>> end = recent.endOn(call, current, loop.nowNs());
        if (end.isPresent()) {
          endOn(current, end.get(), answer);
          return;
        }
      }
      Optional<CallRestore<R>> lost =
          switch (said) {
            case ReadAnswer.Found<R>(var current) -> {
              recent.seen(call, current);
              yield newerThan(call, current.version());
            }
            case ReadAnswer.Absent<R> none -> newerThan(call, 0);
            case ReadAnswer.Unavailable<R> unavailable -> {
              recent.unanswered(loop.nowNs());
              yield Optional.empty();
            }
          };
      count();
      if (lost.isEmpty()) {
        answer.accept(said);
        return;
      }
      writeBack(
          lost.get(),
          outcome ->
              answer.accept(
                  switch (outcome) {
                    case CommitAnswer.Applied<R> applied ->
                        new ReadAnswer.Found<>(lost.get().ours());
                    case CommitAnswer.AlreadyApplied<R> already ->
                        new ReadAnswer.Found<>(lost.get().ours());
                    case CommitAnswer.Conflict<R>(var current) -> new ReadAnswer.Found<>(current);
                    case CommitAnswer.Gone<R> gone -> said;
                    case CommitAnswer.Fenced<R> fenced -> said;
                    case CommitAnswer.Full<R> full -> said;
                    case CommitAnswer.Unknown<R>(var detail) ->
                        new ReadAnswer.Unavailable<>(detail);
                  }));
    }

    void committed(CallCommit<R> commit, CommitAnswer<R> said, Consumer<CommitAnswer<R>> answer) {
      if (!(said instanceof CommitAnswer.Unknown<R>)) {
        recent.answered(loop.nowNs());
      }
      if (said instanceof CommitAnswer.Conflict<R>(var current)) {
        Optional<CallCommit<R>> end = recent.endOn(commit.call(), current, loop.nowNs());
        if (end.isPresent()) {
          endOn(current, end.get(), stands -> answer.accept(asConflict(stands)));
          return;
        }
      }
      Optional<CallRestore<R>> lost =
          switch (said) {
            case CommitAnswer.Applied<R> applied -> remember(commit, applied.version());
            case CommitAnswer.AlreadyApplied<R> already -> remember(commit, already.version());
            case CommitAnswer.Conflict<R>(var current) -> {
              recent.seen(commit.call(), current);
              yield newerThan(commit.call(), current.version());
            }
            case CommitAnswer.Gone<R> gone -> newerThan(commit.call(), 0);
            case CommitAnswer.Fenced<R> fenced -> Optional.empty();
            case CommitAnswer.Full<R> full -> Optional.empty();
            case CommitAnswer.Unknown<R> unknown -> {
              recent.unanswered(loop.nowNs());
              yield Optional.empty();
            }
          };
      count();
      if (lost.isEmpty()) {
        answer.accept(said);
        return;
      }
      writeBack(
          lost.get(),
          outcome -> {
            switch (outcome) {
              case CommitAnswer.Applied<R> applied -> commitAgain(commit, answer);
              case CommitAnswer.AlreadyApplied<R> already -> commitAgain(commit, answer);
              case CommitAnswer.Conflict<R> newer -> answer.accept(newer);
              case CommitAnswer.Gone<R> gone -> answer.accept(said);
              case CommitAnswer.Fenced<R> fenced -> answer.accept(said);
              case CommitAnswer.Full<R> full -> answer.accept(said);
              case CommitAnswer.Unknown<R> unknown -> answer.accept(unknown);
            }
          });
    }

    /** Once: what it says now is said. */
    private void commitAgain(CallCommit<R> commit, Consumer<CommitAnswer<R>> answer) {
      store.commit(
          commit,
          said -> {
            if (said instanceof CommitAnswer.Applied<R> applied) {
              remember(commit, applied.version());
              count();
            }
            answer.accept(said);
          });
    }

    private Optional<CallRestore<R>> remember(CallCommit<R> commit, long version) {
      recent.committed(commit, version, loop.nowNs());
      return Optional.empty();
    }

    private Optional<CallRestore<R>> newerThan(CallKey call, long version) {
      return recent.newerThan(call, version, loop.nowNs());
    }

    private void writeBack(CallRestore<R> lost, Consumer<CommitAnswer<R>> answer) {
      store.restore(
          lost,
          outcome -> {
            if (outcome instanceof CommitAnswer.Conflict<R>(var current)) {
              Optional<CallCommit<R>> end = recent.endOn(lost.call(), current, loop.nowNs());
              if (end.isPresent()) {
                endOn(current, end.get(), stands -> answer.accept(asConflict(stands)));
                return;
              }
            }
            noteRestored(lost, outcome);
            answer.accept(outcome);
          });
    }

    /**
     * Ends a call that another has taken up from before its end.
     *
     * @param answer is told what stands then
     */
    private void endOn(Versioned<R> current, CallCommit<R> end, Consumer<ReadAnswer<R>> answer) {
      store.commit(
          end,
          said -> {
            if (!(said instanceof CommitAnswer.Unknown<R>)) {
              recent.answered(loop.nowNs());
            }
            ReadAnswer<R> stands =
                switch (said) {
                  case CommitAnswer.Applied<R> applied -> {
                    remember(end, applied.version());
                    restored.increment();
                    losses
                        .at(Level.WARN, "store.ended_again")
                        .addKeyValue("call", end.call())
                        .addKeyValue("version", applied.version())
                        .log("store.ended_again");
                    yield ended(end, applied.version());
                  }
                  case CommitAnswer.AlreadyApplied<R> already -> {
                    remember(end, already.version());
                    yield ended(end, already.version());
                  }
                  case CommitAnswer.Conflict<R>(var newer) -> new ReadAnswer.Found<>(newer);
                  case CommitAnswer.Gone<R> gone -> new ReadAnswer.Absent<>();
                  case CommitAnswer.Fenced<R> fenced -> new ReadAnswer.Found<>(current);
                  case CommitAnswer.Full<R> full -> new ReadAnswer.Found<>(current);
                  case CommitAnswer.Unknown<R>(var detail) -> {
                    recent.unanswered(loop.nowNs());
                    yield new ReadAnswer.Unavailable<>(detail);
                  }
                };
            count();
            answer.accept(stands);
          });
    }

    private static <R> ReadAnswer<R> ended(CallCommit<R> end, long version) {
      return new ReadAnswer.Found<>(
          new Versioned<>(version, end.id(), end.record().orElseThrow(), end.index().owner()));
    }

    private static <R> CommitAnswer<R> asConflict(ReadAnswer<R> stands) {
      return switch (stands) {
        case ReadAnswer.Found<R>(var current) -> new CommitAnswer.Conflict<>(current);
        case ReadAnswer.Absent<R> none -> new CommitAnswer.Gone<>();
        case ReadAnswer.Unavailable<R>(var detail) -> new CommitAnswer.Unknown<>(detail);
      };
    }

    private void noteRestored(CallRestore<R> lost, CommitAnswer<R> outcome) {
      if (!(outcome instanceof CommitAnswer.Unknown<R>)) {
        recent.answered(loop.nowNs());
      }
      switch (outcome) {
        case CommitAnswer.Applied<R> applied -> {
          restored.increment();
          losses
              .at(Level.WARN, "store.written_back")
              .addKeyValue("call", lost.call())
              .addKeyValue("version", lost.ours().version())
              .log("store.written_back");
        }
        case CommitAnswer.Conflict<R>(var current) -> recent.seen(lost.call(), current);
        case CommitAnswer.Unknown<R> unknown -> recent.unanswered(loop.nowNs());
        case CommitAnswer.AlreadyApplied<R> already -> {}
        case CommitAnswer.Gone<R> gone -> {}
        case CommitAnswer.Fenced<R> fenced -> {}
        case CommitAnswer.Full<R> full -> {}
      }
      count();
    }

    void offer() {
      recent.otherServer(loop.nowNs());
      unanswered.clear();
      offering.clear();
      offering.addAll(recent.all(loop.nowNs()));
      round = 1;
      offerMore();
    }

    private void offerMore() {
      while (underWay < BATCH && !offering.isEmpty()) {
        CallRestore<R> next = offering.remove();
        underWay++;
        writeBack(
            next,
            outcome -> {
              underWay--;
              if (outcome instanceof CommitAnswer.Unknown<R>) {
                unanswered.add(next);
              }
              offerMore();
            });
      }
      if (underWay == 0 && offering.isEmpty() && !unanswered.isEmpty()) {
        offerUnanswered();
      }
    }

    private void offerUnanswered() {
      if (round >= ROUNDS) {
        log.atWarn().addKeyValue("calls", unanswered.size()).log("store.not_written_back");
        unanswered.clear();
        return;
      }
      round++;
      var again = List.copyOf(unanswered);
      unanswered.clear();
      loop.schedule(
          RETRY,
          () -> {
            offering.addAll(again);
            offerMore();
          });
    }
  }
}
