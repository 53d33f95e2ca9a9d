package io.sippbx.simulation;

import io.sippbx.control.Stores;
import io.sippbx.control.call.Call;
import io.sippbx.control.cluster.Beat;
import io.sippbx.control.cluster.Census;
import io.sippbx.control.cluster.ClusterStore;
import io.sippbx.control.cluster.InMemoryClusterStore;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallRestore;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.InMemoryCallStore;
import io.sippbx.control.store.InMemoryLimitStore;
import io.sippbx.control.store.InMemoryRegistrationStore;
import io.sippbx.control.store.LimitStore;
import io.sippbx.control.store.OutboxId;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.RegistrationCommit;
import io.sippbx.control.store.RegistrationStore;
import io.sippbx.control.store.RestoringCallStore;
import io.sippbx.control.store.Versioned;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The store of all control nodes, as they reach it: it takes its time, may be away, may stand still
 * with commands in its hands, and may lose answers. What it holds is the product's own twin of
 * Redis, of which the contract suites show that it does the same.
 */
final class Store {

  /** Sees each commit at the moment at which it stands. */
  interface Observer {
    void committed(String by, CallCommit<Call> commit, long version);

    void registered(String by, RegistrationCommit commit);

    /** A node has written back what a fail-over had lost. */
    void restored(String by, CallRestore<Call> restore);

    /** A commit that was acknowledged is lost. */
    void lost(String by, CallCommit<Call> commit);
  }

  /** How long an answer is waited for, as a node's client does. */
  static final Duration TIME_OUT = Duration.ofMillis(500);

  private static final int OUTBOX = 100_000;

  /** What the limit of calls of the cluster is called. */
  private static final String LEASES = "calls";

  private static final int RECENT = 10_000;

  private final VirtualLoop loop;
  private final RandomGenerator random;
  private final Trace trace;
  private final IntUnaryOperator outboxes;
  private final Observer observer;
  private final InMemoryCallStore<Call> calls;
  private final InMemoryRegistrationStore registrations;
  private final InMemoryLimitStore limits;
  private final InMemoryClusterStore cluster;
  private boolean away;
  private boolean losesReplies;
  private int slowMs;
  private int outboxLimit;

  /** Fail-overs so far: what was asked before one is never answered. */
  private int failOvers;

  /** What is written while a fail-over would lose it. */
  private final List<Written> written = new ArrayList<>();

  private boolean isAhead;

  private record Written(String by, CallCommit<Call> commit) {}

  /**
   * @param outboxes the limit of an outbox that is kept where this one is meant
   */
  Store(
      VirtualLoop loop,
      RandomGenerator random,
      Trace trace,
      IntUnaryOperator outboxes,
      Observer observer) {
    this.outboxes = outboxes;
    this.loop = loop;
    this.random = random;
    this.trace = trace;
    this.observer = observer;
    var atOnce = new AtOnce(loop);
    var loops = new Loops(List.of(atOnce));
    calls = new InMemoryCallStore<>(loops, OUTBOX);
    limits = new InMemoryLimitStore(loops);
    cluster = new InMemoryClusterStore(atOnce, calls::setEpoch);
    registrations = new InMemoryRegistrationStore(10_000, atOnce, calls.registrationOutbox());
  }

  /** Refuses every command, or no more. */
  void away(boolean isAway) {
    away = isAway;
  }

  /** Stands still with commands in its hands, or goes on with them. */
  void stalled(boolean isStalled) {
    if (isStalled) {
      loop.pause();
    } else {
      loop.resume();
    }
  }

  /** What is written from now on is lost by the fail-over that the answer is. */
  Runnable runAhead() {
    isAhead = true;
    Runnable callsBack = calls.checkpoint();
    Runnable limitsBack = limits.checkpoint();
    Runnable registrationsBack = registrations.checkpoint();
    Runnable clusterBack = cluster.checkpoint();
    return () -> {
      failOvers++;
      isAhead = false;
      callsBack.run();
      limitsBack.run();
      registrationsBack.run();
      clusterBack.run();
      written.forEach(each -> observer.lost(each.by(), each.commit()));
      written.clear();
    };
  }

  /** Takes up to this long for a command; 0: as ever. */
  void slow(int longestMs) {
    slowMs = longestMs;
  }

  /** Loses half of the answers, or none any more. */
  void losesReplies(boolean loses) {
    losesReplies = loses;
  }

  /** Records of calls, tombstones among them. */
  int size() {
    return calls.size();
  }

  /** Long timers of calls, due or not. */
  int timers() {
    return calls.timers();
  }

  /** Leases of the limit of calls. */
  int leases() {
    return limits.held(LEASES);
  }

  /** The record as it stands, whoever can reach it. */
  Optional<Versioned<Call>> peek(CallKey call) {
    var found = new ArrayList<Versioned<Call>>();
    calls.read(
        call,
        answer -> {
          if (answer instanceof ReadAnswer.Found<Call> there) {
            found.add(there.current());
          }
        });
    return found.stream().findFirst();
  }

  /** From now on outboxes have room for so many events until no call begins; 0: for all. */
  void limitOutboxes(int events) {
    outboxLimit = events;
    calls.limitOutboxes(events == 0 ? OUTBOX : outboxes.applyAsInt(events));
  }

  /** The limit of an outbox that a fault has set; 0: none. */
  int outboxLimit() {
    return outboxLimit;
  }

  /** Events in the outbox of a partition. */
  long outbox(Partition partition) {
    var events = new long[1];
    calls.outboxDepth(
        partition,
        answer -> {
          if (answer instanceof PartitionStore.Batch<Long> batch) {
            events[0] = batch.entries().getFirst();
          }
        });
    return events[0];
  }

  /** What is left of calls in the indexes of a partition. */
  int indexed(Partition partition, List<NodeId> control, List<NodeId> media) {
    var left = new int[1];
    for (NodeId node : control) {
      calls.inFlight(partition, node, Optional.empty(), 1, answer -> left[0] += size(answer));
    }
    for (NodeId node : media) {
      calls.onMedia(partition, node, Optional.empty(), 1, answer -> left[0] += size(answer));
    }
    calls.claimTimers(partition, OptionalLong.empty(), 1, answer -> left[0] += size(answer));
    return left[0];
  }

  private static int size(PartitionStore.Answer<?> answer) {
    return answer instanceof PartitionStore.Batch<?> batch ? batch.entries().size() : 0;
  }

  /** The way of one start of one node to the store. */
  @SuppressWarnings("SameNameButDifferent") // each port has its own Answer
  final class Client {
    private final String name;
    private final Loops loops;
    private final RestoringCallStore<Call> restoring;
    private final LimitStore leases;
    private boolean cut;
    private long lastArrivalNs;
    private long lastReplyNs;

    /** Those of this moment that more may join: one for each loop. */
    private final List<Trip> open = new ArrayList<>();

    /**
     * @param name of who asks, for the trace
     * @param loops on which it wants its answers
     * @param planted given the way to the calls
     * @param plantedLimits given the way to the leases of limits
     */
    Client(
        String name,
        Loops loops,
        UnaryOperator<CallStore<Call>> planted,
        UnaryOperator<LimitStore> plantedLimits) {
      this.name = name;
      this.loops = loops;
      this.restoring =
          new RestoringCallStore<>(planted.apply(new Calls()), loops, RECENT, Call::isTombstone);
      this.leases = plantedLimits.apply(new Limits());
    }

    /** Does not reach the store, or does again. */
    void cut(boolean off) {
      cut = off;
    }

    /** Is connected to another server than before. */
    void failedOver() {
      restoring.offerAgain();
    }

    Stores stores() {
      return new Stores(
          restoring,
          Registrations::new,
          new Partitions(),
          Cluster::new,
          leases,
          Optional.of(restoring));
    }

    /**
     * Carries a question there and its answer back: in the order in which they were asked, as on
     * one connection; if none comes in time, {@code unavailable} is the answer.
     */
    private <A> void ask(
        Loop home, Consumer<Consumer<A>> question, A unavailable, Consumer<A> answer) {
      open.clear();
      var once = new Once<>(home, answer);
      once.timer = home.schedule(TIME_OUT, () -> once.give(unavailable));
      if (away) {
        home.schedule(Duration.ofMillis(1), () -> once.give(unavailable));
        return;
      }
      if (cut) {
        return;
      }
      int server = failOvers;
      lastArrivalNs = Math.max(lastArrivalNs, loop.nowNs() + delayNs());
      loop.schedule(
          Duration.ofNanos(lastArrivalNs - loop.nowNs()),
          () -> {
            if (server != failOvers) {
              return;
            }
            question.accept(
                reply -> {
                  if (cut || losesReplies && random.nextBoolean()) {
                    return;
                  }
                  lastReplyNs = Math.max(lastReplyNs, loop.nowNs() + delayNs());
                  home.schedule(
                      Duration.ofNanos(lastReplyNs - loop.nowNs()), () -> once.give(reply));
                });
          });
    }

    /** As {@link #ask}, with what the same loop asks at the same time, as in one write. */
    private <A> void askTogether(
        Loop home, Consumer<Consumer<A>> question, A unavailable, Consumer<A> answer) {
      if (!open.isEmpty() && open.getFirst().atNs != loop.nowNs()) {
        open.clear();
      }
      trip(home).asked.add(new Asked<>(question, unavailable, answer));
    }

    private Trip trip(Loop home) {
      for (Trip each : open) {
        if (each.home.equals(home)) {
          return each;
        }
      }
      var trip = new Trip(home);
      open.add(trip);
      return trip;
    }

    /** Questions on their way, and their answers. */
    private final class Trip {
      private final Loop home;
      private final long atNs = loop.nowNs();
      private final int server = failOvers;
      private final List<Asked<?>> asked = new ArrayList<>();
      private final Loop.Timer timer;

      Trip(Loop home) {
        this.home = home;
        timer = home.schedule(TIME_OUT, this::end);
        if (away) {
          home.schedule(Duration.ofMillis(1), this::end);
        } else if (!cut) {
          lastArrivalNs = Math.max(lastArrivalNs, atNs + delayNs());
          loop.schedule(Duration.ofNanos(lastArrivalNs - atNs), this::arrive);
        }
      }

      private void arrive() {
        if (server != failOvers) {
          return;
        }
        asked.forEach(each -> each.ask(() -> !cut && !(losesReplies && random.nextBoolean())));
        lastReplyNs = Math.max(lastReplyNs, loop.nowNs() + delayNs());
        home.schedule(Duration.ofNanos(lastReplyNs - loop.nowNs()), this::back);
      }

      private void back() {
        asked.forEach(Asked::giveReply);
        if (asked.stream().allMatch(each -> each.given)) {
          timer.cancel();
        }
      }

      private void end() {
        timer.cancel();
        asked.forEach(Asked::giveUp);
      }
    }

    private long delayNs() {
      int mostUs = slowMs == 0 ? 1_000 : slowMs * 1_000;
      return 100_000L + random.nextInt(mostUs) * 1_000L;
    }

    private final class Calls implements CallStore<Call> {
      @Override
      public void read(CallKey call, Consumer<ReadAnswer<Call>> answer) {
        ask(
            loops.of(call.hashCode()),
            reply -> calls.read(call, reply),
            new ReadAnswer.Unavailable<>("simulated"),
            answer);
      }

      @Override
      public void commit(CallCommit<Call> commit, Consumer<CommitAnswer<Call>> answer) {
        ask(
            loops.of(commit.call().hashCode()),
            reply -> calls.commit(commit, said -> reply.accept(seen(commit, said))),
            new CommitAnswer.Unknown<>("simulated"),
            answer);
      }

      private CommitAnswer<Call> seen(CallCommit<Call> commit, CommitAnswer<Call> said) {
        if (said instanceof CommitAnswer.Applied<Call> applied) {
          if (isAhead) {
            written.add(new Written(name, commit));
          }
          observer.committed(name, commit, applied.version());
        } else {
          trace.note(
              name, () -> "commit of " + commit.call() + ": " + said.getClass().getSimpleName());
        }
        return said;
      }

      @Override
      public void restore(CallRestore<Call> restore, Consumer<CommitAnswer<Call>> answer) {
        ask(
            loops.of(restore.call().hashCode()),
            reply -> calls.restore(restore, said -> reply.accept(seen(restore, said))),
            new CommitAnswer.Unknown<>("simulated"),
            answer);
      }

      private CommitAnswer<Call> seen(CallRestore<Call> restore, CommitAnswer<Call> said) {
        if (said instanceof CommitAnswer.Applied<Call>) {
          observer.restored(name, restore);
        }
        return said;
      }
    }

    private final class Cluster implements ClusterStore {
      private final Loop home;

      Cluster(Loop home) {
        this.home = home;
      }

      @Override
      public void beat(Beat beat, Duration expiry, Consumer<Beating> answer) {
        ask(
            home,
            reply -> cluster.beat(beat, expiry, reply),
            new Beating.Unavailable("simulated"),
            answer);
      }

      @Override
      public void census(Consumer<Answer<Census>> answer) {
        ask(home, cluster::census, new Answer.Unavailable<>("simulated"), answer);
      }

      @Override
      public void leave(Member member, Consumer<Answer<Member>> answer) {
        ask(
            home,
            reply -> cluster.leave(member, reply),
            new Answer.Unavailable<>("simulated"),
            answer);
      }

      @Override
      public void swept(Member dead, List<Partition> partitions, Consumer<Answer<Integer>> answer) {
        ask(
            home,
            reply -> cluster.swept(dead, partitions, reply),
            new Answer.Unavailable<>("simulated"),
            answer);
      }

      @Override
      public void keep(
          Partition partition, Member member, List<Member> living, Consumer<Keeping> answer) {
        ask(
            home,
            reply -> cluster.keep(partition, member, living, reply),
            new Keeping.Unavailable("simulated"),
            answer);
      }

      @Override
      public void giveUp(Partition partition, Member member, Consumer<Keeping> answer) {
        ask(
            home,
            reply -> cluster.giveUp(partition, member, reply),
            new Keeping.Unavailable("simulated"),
            answer);
      }
    }

    private final class Limits implements LimitStore {
      @Override
      public void take(
          String name, CallKey call, int limit, Duration lease, Consumer<LeaseAnswer> answer) {
        ask(
            loops.of(call.hashCode()),
            reply -> limits.take(name, call, limit, lease, reply),
            new LimitStore.Unavailable("simulated"),
            answer);
      }

      @Override
      public void release(String name, CallKey call, Consumer<LeaseAnswer> answer) {
        ask(
            loops.of(call.hashCode()),
            reply -> limits.release(name, call, reply),
            new LimitStore.Unavailable("simulated"),
            answer);
      }
    }

    private final class Registrations implements RegistrationStore {
      private final Loop home;

      Registrations(Loop home) {
        this.home = home;
      }

      @Override
      public void read(Aor aor, Consumer<ReadAnswer<Registration>> answer) {
        ask(
            home,
            reply -> registrations.read(aor, reply),
            new ReadAnswer.Unavailable<>("simulated"),
            answer);
      }

      @Override
      public void commit(RegistrationCommit commit, Consumer<CommitAnswer<Registration>> answer) {
        ask(
            home,
            reply -> registrations.commit(commit, said -> reply.accept(seen(commit, said))),
            new CommitAnswer.Unknown<>("simulated"),
            answer);
      }

      private CommitAnswer<Registration> seen(
          RegistrationCommit commit, CommitAnswer<Registration> said) {
        if (said instanceof CommitAnswer.Applied<Registration>) {
          observer.registered(name, commit);
        }
        return said;
      }

      @Override
      public void list(Optional<Aor> after, int limit, Consumer<ListAnswer> answer) {
        ask(
            home,
            reply -> registrations.list(after, limit, reply),
            new ListAnswer.Unavailable("simulated"),
            answer);
      }

      @Override
      public void claimExpired(Partition partition, int limit, Consumer<ExpiredAnswer> answer) {
        askTogether(
            home,
            reply -> registrations.claimExpired(partition, limit, reply),
            new ExpiredAnswer.Unavailable("simulated"),
            answer);
      }

      @Override
      public void count(Consumer<CountAnswer> answer) {
        ask(home, registrations::count, new CountAnswer.Unavailable("simulated"), answer);
      }
    }

    private final class Partitions implements PartitionStore {
      private <T> void askPartition(
          Partition partition, Consumer<Consumer<Answer<T>>> question, Consumer<Answer<T>> answer) {
        askTogether(
            loops.of(partition.number()),
            question,
            new PartitionStore.Unavailable<>("simulated"),
            answer);
      }

      @Override
      public void claimTimers(
          Partition partition, OptionalLong epoch, int limit, Consumer<Answer<DueTimer>> answer) {
        askPartition(partition, reply -> calls.claimTimers(partition, epoch, limit, reply), answer);
      }

      @Override
      public void inFlight(
          Partition partition,
          NodeId node,
          Optional<CallKey> after,
          int limit,
          Consumer<Answer<CallKey>> answer) {
        askPartition(
            partition, reply -> calls.inFlight(partition, node, after, limit, reply), answer);
      }

      @Override
      public void onMedia(
          Partition partition,
          NodeId node,
          Optional<CallKey> after,
          int limit,
          Consumer<Answer<CallKey>> answer) {
        askPartition(
            partition, reply -> calls.onMedia(partition, node, after, limit, reply), answer);
      }

      @Override
      public void outbox(
          Partition partition,
          Optional<OutboxId> after,
          int limit,
          Consumer<Answer<OutboxEntry>> answer) {
        askPartition(partition, reply -> calls.outbox(partition, after, limit, reply), answer);
      }

      @Override
      public void acknowledge(
          Partition partition, List<OutboxId> ids, Consumer<Answer<OutboxId>> answer) {
        askPartition(partition, reply -> calls.acknowledge(partition, ids, reply), answer);
      }

      @Override
      public void calls(
          Partition partition,
          Optional<CallKey> after,
          int limit,
          Consumer<Answer<CallKey>> answer) {
        askPartition(partition, reply -> calls.calls(partition, after, limit, reply), answer);
      }

      @Override
      public void setAside(
          Partition partition, List<OutboxId> ids, Consumer<Answer<OutboxId>> answer) {
        askPartition(partition, reply -> calls.setAside(partition, ids, reply), answer);
      }

      @Override
      public void outboxDepth(Partition partition, Consumer<Answer<Long>> answer) {
        askPartition(partition, reply -> calls.outboxDepth(partition, reply), answer);
      }
    }
  }

  /** A question of several, and its answer, which is given once. */
  private static final class Asked<A> {
    private final Consumer<Consumer<A>> question;
    private final A unavailable;
    private final Consumer<A> answer;
    private Optional<A> reply = Optional.empty();
    private boolean given;

    Asked(Consumer<Consumer<A>> question, A unavailable, Consumer<A> answer) {
      this.question = question;
      this.unavailable = unavailable;
      this.answer = answer;
    }

    /**
     * @param comes whether the way back carries its answer
     */
    void ask(BooleanSupplier comes) {
      question.accept(
          said -> {
            if (comes.getAsBoolean()) {
              reply = Optional.of(said);
            }
          });
    }

    void giveReply() {
      reply.ifPresent(this::give);
    }

    void giveUp() {
      give(unavailable);
    }

    private void give(A what) {
      if (!given) {
        given = true;
        answer.accept(what);
      }
    }
  }

  /** Gives the first of several answers. Lives on the asker's loop. */
  private static final class Once<A> {
    private final Loop home;
    private final Consumer<A> answer;
    private Loop.@Nullable Timer timer;
    private boolean given;

    Once(Loop home, Consumer<A> answer) {
      this.home = home;
      this.answer = answer;
    }

    void give(A what) {
      if (!home.inLoop()) {
        throw new IllegalStateException("Expected to be on the asker's loop");
      }
      if (!given) {
        given = true;
        if (timer != null) {
          timer.cancel();
        }
        answer.accept(what);
      }
    }
  }

  /** The store's own clock, on which its answers come before the question has returned. */
  private record AtOnce(VirtualLoop loop) implements Loop {
    @Override
    public void execute(Runnable task) {
      task.run();
    }

    @Override
    public Timer schedule(Duration delay, Runnable task) {
      return loop.schedule(delay, task);
    }

    @Override
    public long nowNs() {
      return loop.nowNs();
    }

    @Override
    public Instant now() {
      return loop.now();
    }

    @Override
    public boolean inLoop() {
      return true;
    }
  }
}
