package io.sippbx.control.event;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.store.OutboxEvent;
import io.sippbx.control.store.OutboxId;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.PartitionStore.Answer;
import io.sippbx.control.store.PartitionStore.Batch;
import io.sippbx.control.store.PartitionStore.OutboxEntry;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.telemetry.RateLimitedLog;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Hands what lies in the outboxes to a consumer, and takes out of them what it has done with: the
 * way to Kafka, or to what stands in its place in the same process.
 *
 * <p>An event is in its outbox from the commit that caused it to the consumer's word that it is
 * done, so that it survives this process where the store does, and comes again after a start. It is
 * fetched when a commit of this node is told ({@link #publish}), at once for the end of a call and
 * within {@link #LAZY} for others, and whatever lies there every {@link #SWEEP}.
 *
 * <p>An event that cannot be read, or that the consumer throws at, is poison: it is put aside in
 * the store, counted and logged, and those behind it go on. Where there is no more room for it
 * aside it stays where it is and is stepped over.
 *
 * <p>Each partition has a lane that lives on the partition's loop and has at most {@value
 * #MAX_IN_HAND} events in the consumer's hands; the others wait in the store. A lane for whose
 * events the consumer has no room asks the store for nothing until the consumer is done with
 * something, or {@link #NO_ROOM} is over.
 */
public final class OutboxRelay implements EventSink {

  /** Events of a partition that were handed over and are not yet out of the outbox, at most. */
  public static final int MAX_IN_HAND = 1_000;

  private final RateLimitedLog limited;

  /** A pause for consumers to whom nothing but the end of a call is urgent. */
  public static final Duration LAZY = Duration.ofSeconds(1);

  /** A pause for consumers who are to hear of calls as they go on: many commits, one question. */
  public static final Duration PROMPT = Duration.ofMillis(20);

  /** For which events that are done with wait for more of them: calls are taken out in one go. */
  static final Duration GATHER = Duration.ofMillis(100);

  static final Duration RETRY = Duration.ofSeconds(1);

  /** For which lanes wait for one another when the consumer has room again. */
  static final Duration WAKE = Duration.ofMillis(10);

  /** After which the consumer is offered more though it was not done with anything. */
  static final Duration NO_ROOM = Duration.ofSeconds(5);

  /** Lanes that are woken in one go: each in its turn, so that none waits for another's end. */
  private static final int WOKEN_AT_ONCE = 8;

  static final Duration SWEEP = Duration.ofSeconds(30);
  static final int BATCH = 200;

  private final PartitionStore store;
  private final EventConsumer consumer;
  private final BiPredicate<Partition, String> ours;
  private final Duration pause;
  private final List<Lane> lanes;

  /** Those for whose events the consumer had no room. */
  private final ConcurrentLinkedQueue<Lane> waiting = new ConcurrentLinkedQueue<>();

  private final AtomicBoolean waking = new AtomicBoolean();
  private final LongAdder handed = new LongAdder();
  private final LongAdder acknowledged = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final LongAdder setAside = new LongAdder();
  private final AtomicLong depth = new AtomicLong();
  private final AtomicLong fullest = new AtomicLong();
  private volatile boolean closed;

  /**
   * @param loops the store's: it answers for a partition on the loop of its number
   * @param ours whether the events of this partition that the node of this name has committed are
   *     for this process to hand over; others are left where they are
   * @param pause for which events other than ends wait for more of them
   */
  public OutboxRelay(
      PartitionStore store,
      Loops loops,
      EventConsumer consumer,
      BiPredicate<Partition, String> ours,
      Duration pause) {
    this.store = store;
    this.consumer = consumer;
    this.ours = ours;
    this.pause = pause;
    this.limited =
        new RateLimitedLog(
            LoggerFactory.getLogger(OutboxRelay.class),
            10,
            Duration.ofMinutes(1),
            loops.of(0)::nowNs);
    var all = new ArrayList<Lane>();
    for (int i = 0; i < Partition.COUNT; i++) {
      all.add(new Lane(new Partition(i), loops.of(i)));
    }
    this.lanes = List.copyOf(all);
  }

  /** Fetches what earlier runs have left, and goes on sweeping. Any thread. */
  public void start() {
    for (Lane lane : lanes) {
      lane.loop.execute(lane::sweep);
    }
  }

  /** Events of one call were committed: they are in its partition's outbox. Any thread. */
  @Override
  public void publish(List<CallEvent> events) {
    if (events.isEmpty()) {
      return;
    }
    boolean isEnd = events.stream().anyMatch(CallEvent::hasEnded);
    Optional<CallKey> call = CallKey.prefixOf(events.getFirst().getCallKey());
    if (call.isPresent()) {
      Lane lane = lanes.get(Partition.of(call.get()).number());
      lane.loop.execute(isEnd ? lane::fetch : () -> lane.fetchWithin(pause));
    }
  }

  @Override
  public void committed(Aor aor) {
    Lane lane = lanes.get(Partition.of(aor).number());
    lane.loop.execute(() -> lane.fetchWithin(pause));
  }

  /**
   * Fetches all that is there, and answers when nothing of it is left in the consumer's hands or in
   * the way to the store: on any loop, once; never, if the store or the consumer fails for good.
   */
  public void flush(Runnable whenDone) {
    var left = new AtomicLong(lanes.size());
    for (Lane lane : lanes) {
      lane.loop.execute(
          () ->
              lane.flush(
                  () -> {
                    if (left.decrementAndGet() == 0) {
                      whenDone.run();
                    }
                  }));
    }
  }

  /** Fetches nothing more. What the consumer has not done with comes again at the next start. */
  public void close() {
    closed = true;
  }

  /** Events that were handed to the consumer. */
  public long handed() {
    return handed.sum();
  }

  /** Events that were taken out of the outbox. */
  public long acknowledged() {
    return acknowledged.sum();
  }

  /** Questions that the store did not answer; they are asked again. */
  public long failures() {
    return failures.sum();
  }

  /** Events that nobody could make anything of, and that were put aside. */
  public long setAside() {
    return setAside.sum();
  }

  /**
   * Events in all outboxes, those of other nodes among them, as they were when this was asked the
   * last time.
   */
  public long depth() {
    var sum = new AtomicLong();
    var most = new AtomicLong();
    var left = new AtomicLong(lanes.size());
    for (Lane lane : lanes) {
      store.outboxDepth(
          lane.partition,
          answer -> {
            if (answer instanceof Batch<Long> batch) {
              for (long events : batch.entries()) {
                sum.addAndGet(events);
                most.accumulateAndGet(events, Math::max);
              }
            }
            if (left.decrementAndGet() == 0) {
              depth.set(sum.get());
              fullest.set(most.get());
            }
          });
    }
    return depth.get();
  }

  /** Events in the fullest outbox, as they were when {@link #depth} was asked the last time. */
  public long fullest() {
    return fullest.get();
  }

  /** The consumer may have room: those who wait for it are told soon. Any thread. */
  private void mayHaveRoom(Loop loop) {
    if (!waiting.isEmpty() && waking.compareAndSet(false, true)) {
      loop.schedule(
          WAKE,
          () -> {
            waking.set(false);
            for (int i = 0; i < WOKEN_AT_ONCE; i++) {
              Lane next = waiting.poll();
              if (next != null) {
                next.loop.execute(next::wake);
              }
            }
          });
    }
  }

  /** What became of handing an event over. */
  private sealed interface Handed {
    record Taken() implements Handed {}

    record NoRoom() implements Handed {}

    record Thrown(String what) implements Handed {}
  }

  /** One partition's way from the outbox to the consumer and back. Lives on its loop. */
  private final class Lane {
    private final Partition partition;
    private final Loop loop;

    /** In the consumer's hands. */
    private final TreeSet<OutboxId> inHand = new TreeSet<>();

    /** Done with, and still in the outbox. */
    private final TreeSet<OutboxId> done = new TreeSet<>();

    private final List<Runnable> flushes = new ArrayList<>();
    private Optional<OutboxId> last = Optional.empty();
    private boolean fetching;
    private boolean acknowledging;

    /** There may be more than the fetch under way will see. */
    private boolean again;

    /** Running while the consumer has no room for what is next. */
    private Loop.@Nullable Timer noRoom;

    private Loop.@Nullable Timer timer;
    private Loop.@Nullable Timer acknowledgement;

    Lane(Partition partition, Loop loop) {
      this.partition = partition;
      this.loop = loop;
    }

    void sweep() {
      if (closed) {
        return;
      }
      // From the start: what was refused, is another node's no more, or was written back.
      last = Optional.empty();
      fetch();
      loop.schedule(SWEEP, this::sweep);
    }

    void flush(Runnable whenDone) {
      flushes.add(whenDone);
      acknowledge();
      fetch();
    }

    void fetchWithin(Duration delay) {
      if (timer == null && !closed) {
        timer =
            loop.schedule(
                loop.untilNext(delay),
                () -> {
                  timer = null;
                  fetch();
                  acknowledge();
                });
      }
    }

    void fetch() {
      if (closed) {
        return;
      }
      if (fetching || isFull() || noRoom != null) {
        again = true;
        return;
      }
      again = false;
      fetching = true;
      int room = Math.min(BATCH, MAX_IN_HAND - inHand.size() - done.size());
      store.outbox(partition, last, room, this::fetched);
    }

    private boolean isFull() {
      return inHand.size() + done.size() >= MAX_IN_HAND;
    }

    private void fetched(Answer<OutboxEntry> answer) {
      fetching = false;
      if (closed) {
        return;
      }
      if (!(answer instanceof Batch<OutboxEntry> batch)) {
        failures.increment();
        fetchWithin(RETRY);
        return;
      }
      var poison = new LinkedHashMap<OutboxId, String>();
      boolean hadRoom = hand(batch, poison);
      if (!poison.isEmpty()) {
        putAside(poison);
      }
      if (!hadRoom) {
        awaitRoom();
        return;
      }
      mayHaveRoom(loop);
      if (batch.more() || again) {
        fetch();
      } else {
        tellFlushed();
      }
    }

    private void awaitRoom() {
      again = true;
      noRoom = loop.schedule(NO_ROOM, this::wake);
      waiting.add(this);
    }

    private void wake() {
      if (noRoom != null) {
        noRoom.cancel();
        noRoom = null;
        waiting.remove(this);
        fetch();
      }
    }

    /**
     * Hands over what is new in a page.
     *
     * @param poison is given what nobody can make anything of, and why
     * @return false if the consumer had no room for all
     */
    private boolean hand(Batch<OutboxEntry> batch, Map<OutboxId, String> poison) {
      for (OutboxEntry entry : batch.entries()) {
        if (entry.damage().isPresent()) {
          poison.put(entry.id(), entry.damage().get());
        } else if (isNew(entry)) {
          switch (hand(entry)) {
            case Handed.Taken taken -> {}
            case Handed.NoRoom noRoom -> {
              return false;
            }
            case Handed.Thrown(String what) -> poison.put(entry.id(), what);
          }
        }
        last = Optional.of(entry.id());
      }
      return true;
    }

    private boolean isNew(OutboxEntry entry) {
      return !inHand.contains(entry.id())
          && !done.contains(entry.id())
          && ours.test(partition, entry.event().node());
    }

    /** A consumer that throws at an event must not keep all later ones from going. */
    private Handed hand(OutboxEntry entry) {
      OutboxId id = entry.id();
      try {
        Runnable whenDone = () -> loop.execute(() -> isDone(id));
        boolean taken =
            switch (entry.event()) {
              case OutboxEvent.OfCall(CallEvent event) -> consumer.take(event, whenDone);
              case OutboxEvent.OfRegistration(RegistrationEvent event) ->
                  consumer.take(event, whenDone);
            };
        if (!taken) {
          return new Handed.NoRoom();
        }
      } catch (RuntimeException e) {
        return new Handed.Thrown(e.toString());
      }
      handed.increment();
      inHand.add(id);
      return new Handed.Taken();
    }

    private void putAside(Map<OutboxId, String> poison) {
      store.setAside(
          partition,
          List.copyOf(poison.keySet()),
          answer -> {
            List<OutboxId> moved =
                answer instanceof Batch<OutboxId> batch ? batch.entries() : List.of();
            setAside.add(moved.size());
            poison.forEach(
                (id, why) ->
                    limited
                        .at(Level.ERROR, "outbox.poison")
                        .addKeyValue("partition", partition)
                        .addKeyValue("entry", id)
                        .addKeyValue("problem", why)
                        .addKeyValue("kept_in", moved.contains(id) ? "outbox-aside" : "outbox")
                        .log("outbox.poison"));
          });
    }

    private void isDone(OutboxId id) {
      if (inHand.remove(id)) {
        done.add(id);
        mayHaveRoom(loop);
        if (isFull() || done.size() >= BATCH || !flushes.isEmpty()) {
          acknowledge();
        } else if (acknowledgement == null) {
          acknowledgement =
              loop.schedule(
                  loop.untilNext(GATHER),
                  () -> {
                    acknowledgement = null;
                    acknowledge();
                  });
        }
      }
    }

    private void acknowledge() {
      if (acknowledging || done.isEmpty()) {
        return;
      }
      acknowledging = true;
      List<OutboxId> ids = done.stream().limit(PartitionStore.MAX_BATCH).toList();
      store.acknowledge(partition, ids, answer -> acknowledged(ids, answer));
    }

    private void acknowledged(List<OutboxId> ids, Answer<OutboxId> answer) {
      acknowledging = false;
      if (answer instanceof Batch<OutboxId>) {
        ids.forEach(done::remove);
        acknowledged.add(ids.size());
        acknowledge();
        if (again) {
          fetch();
        }
        tellFlushed();
      } else {
        failures.increment();
        fetchWithin(RETRY);
      }
    }

    private void tellFlushed() {
      if (!fetching && !again && inHand.isEmpty() && done.isEmpty()) {
        var told = List.copyOf(flushes);
        flushes.clear();
        told.forEach(Runnable::run);
      }
    }
  }
}
