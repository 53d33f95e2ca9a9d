package io.sippbx.control.cluster;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.media.MediaListing;
import io.sippbx.control.media.MediaNodeSeen;
import io.sippbx.control.media.MediaNodeSeen.Standing;
import io.sippbx.control.media.MediaPlane;
import io.sippbx.control.media.MediaRestorer;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node does for the calls on media nodes, of the partitions that it keeps and of those that
 * it has open itself:
 *
 * <ul>
 *   <li>calls on a node that has just started are told to come back, on their ports;
 *   <li>calls on a node that is lost, or is to be emptied, are told to leave it, at a rate that is
 *       bounded for the whole cluster, and again until the records name it no more;
 *   <li>what a node holds is compared with the records: a session that none names in two
 *       comparisons is released, and a call without its session in two is told that it is lost. In
 *       the first comparison with a start of a node it is told at once: the node may have started
 *       while nobody was there to bring its calls back.
 * </ul>
 *
 * What is told is a level: it does no harm when it comes twice, or to a call that has ended. Lives
 * on its loop; counters and ledger are for any thread.
 */
public final class MediaRounds implements MediaRestorer {

  private static final Logger log = LoggerFactory.getLogger(MediaRounds.class);

  private final Loop loop;
  private final MediaRoundsSettings settings;
  private final Ports ports;
  private final Allowance moves;
  private final Allowance restores;
  private final TreeMap<NodeId, Pass> passes = new TreeMap<>();
  private final TreeMap<NodeId, Long> nextPass = new TreeMap<>();
  private final TreeMap<NodeId, Restore> restoring = new TreeMap<>();
  private final TreeMap<NodeId, Comparison> comparisons = new TreeMap<>();
  private final TreeSet<NodeId> emptied = new TreeSet<>();
  private final LongAdder moved = new LongAdder();
  private final LongAdder restored = new LongAdder();
  private final LongAdder orphansReleased = new LongAdder();
  private final LongAdder unavailable = new LongAdder();
  private volatile List<MediaLedger> ledger = List.of();
  private Loop.@Nullable Timer next;
  private boolean stopped;

  /**
   * What is asked, and who is told.
   *
   * @param kept the partitions that this node keeps now, in their order; asked on the loop
   * @param settled whether all partitions are kept that fall to this node; asked on the loop
   * @param owned tells which calls on a media node are this node's own, whoever keeps them: nobody
   *     else may tell them anything; answers once, on any thread
   * @param calls is told what happened to the session of a call; any thread
   * @param keepers the control nodes that may keep partitions, this one among them; asked on the
   *     loop
   */
  public record Ports(
      PartitionStore partitions,
      MediaPlane media,
      Supplier<List<Partition>> kept,
      BooleanSupplier settled,
      BiConsumer<NodeId, Consumer<List<CallKey>>> owned,
      Consumer<MediaEvent> calls,
      Supplier<List<NodeId>> keepers) {}

  /** A node that has started: what is on it comes back. */
  private static final class Restore {
    private final TreeSet<CallKey> told;
    private final Consumer<List<NodeId>> done;

    /** What was looked through: a node that has started takes up its partitions bit by bit. */
    private final TreeSet<Partition> covered = new TreeSet<>();

    private int handed;
    private long passedNs;

    private Restore(List<CallKey> told, Consumer<List<NodeId>> done) {
      this.told = new TreeSet<>(told);
      this.done = done;
      this.handed = told.size();
    }
  }

  public MediaRounds(Loop loop, MediaRoundsSettings settings, Ports ports) {
    this.loop = loop;
    this.settings = settings;
    this.ports = ports;
    this.moves = new Allowance(settings.movesPerSecond(), loop.nowNs());
    this.restores = new Allowance(settings.restoresPerSecond(), loop.nowNs());
  }

  /** Goes round from now on. Any thread. */
  public void start() {
    ports.media().onRestore(this);
    loop.execute(this::turn);
  }

  /** Tells nothing more. Any thread. */
  public void stop() {
    loop.execute(
        () -> {
          stopped = true;
          passes.clear();
          if (next != null) {
            next.cancel();
          }
        });
  }

  @Override
  public void restore(NodeId node, List<CallKey> told, Consumer<List<NodeId>> done) {
    loop.execute(
        () -> {
          restoring.put(node, new Restore(told, done));
          passes.remove(node);
          goOn(node);
        });
  }

  /** What was done so far. Any thread. */
  public MediaRoundsCounts counts() {
    return new MediaRoundsCounts(
        moved.sum(), restored.sum(), orphansReleased.sum(), unavailable.sum());
  }

  /** The nodes that were compared with the records, as of their last comparison. Any thread. */
  public List<MediaLedger> ledger() {
    return ledger;
  }

  private void turn() {
    if (stopped) {
      return;
    }
    next = loop.schedule(settings.turn(), this::turn);
    List<MediaNodeSeen> seen = ports.media().seen();
    var known = new TreeSet<NodeId>();
    for (MediaNodeSeen node : seen) {
      known.add(node.id());
      goOn(node.id());
      compareIfDue(node);
      noteEmpty(node);
    }
    restoring.keySet().retainAll(known);
    nextPass.keySet().retainAll(known);
    if (comparisons.keySet().retainAll(known)) {
      publish();
    }
  }

  private Optional<MediaNodeSeen> seen(NodeId id) {
    for (MediaNodeSeen node : ports.media().seen()) {
      if (node.id().equals(id)) {
        return Optional.of(node);
      }
    }
    return Optional.empty();
  }

  private void noteEmpty(MediaNodeSeen node) {
    if (node.standing() != Standing.DRAINING) {
      emptied.remove(node.id());
    } else if (node.sessions() == 0 && emptied.add(node.id())) {
      log.atInfo().addKeyValue("node", node.id()).log("media.node.drained");
    }
  }

  /** Why the calls of a node are told something. */
  private enum Why {
    RESTORE,
    LOST,
    DRAINING
  }

  private Optional<Why> why(NodeId id) {
    Optional<MediaNodeSeen> node = seen(id);
    if (node.isEmpty()) {
      return Optional.empty();
    }
    return switch (node.get().standing()) {
      case LOST -> Optional.of(Why.LOST);
      case DRAINING -> Optional.of(Why.DRAINING);
      case RESTORING, RUNNING ->
          restoring.containsKey(id) ? Optional.of(Why.RESTORE) : Optional.empty();
      case SUSPECTED, SILENT -> Optional.empty();
    };
  }

  private void goOn(NodeId id) {
    Optional<Why> why = stopped ? Optional.empty() : why(id);
    Pass pass = passes.get(id);
    if (pass != null && !Optional.of(pass.why).equals(why)) {
      passes.remove(id);
      pass = null;
    }
    long now = loop.nowNs();
    if (why.isEmpty()) {
      nextPass.remove(id);
      return;
    }
    if (why.get() == Why.LOST || why.get() == Why.DRAINING) {
      // What was to come back is told to leave.
      restoring.remove(id);
    }
    if (pass != null) {
      pass.goOn();
      return;
    }
    Restore restore = restoring.get(id);
    if (restore != null) {
      goOn(id, restore, now);
      return;
    }
    Long due = nextPass.get(id);
    if (due == null || now - due >= 0) {
      begin(new Pass(id, why.get(), ports.kept().get()));
    }
  }

  private void goOn(NodeId id, Restore restore, long now) {
    List<Partition> kept = ports.kept().get();
    List<Partition> left = kept.stream().filter(each -> !restore.covered.contains(each)).toList();
    if (!left.isEmpty()) {
      begin(new Pass(id, Why.RESTORE, left));
    } else if (!kept.isEmpty() && ports.settled().getAsBoolean()) {
      finishIfBack(id, restore, now);
    }
  }

  private void begin(Pass pass) {
    passes.put(pass.node, pass);
    pass.begin();
  }

  /**
   * The node takes new calls once what was told is back on it, or has had its time, and the other
   * keepers say so of theirs.
   */
  private void finishIfBack(NodeId id, Restore restore, long now) {
    int sessions = seen(id).map(MediaNodeSeen::sessions).orElse(0);
    boolean late = now - restore.passedNs >= settings.restoreWithin().toNanos();
    if (sessions >= restore.handed || late) {
      restoring.remove(id);
      log.atInfo()
          .addKeyValue("node", id)
          .addKeyValue("calls", restore.handed)
          .addKeyValue("sessions", sessions)
          .log("media.node.restored");
      restore.done.accept(ports.keepers().get());
    }
  }

  /** One pass through the calls of a node. */
  private final class Pass {
    private final NodeId node;
    private final Why why;
    private final List<Partition> kept;
    private final Deque<Partition> left;
    private final Deque<CallKey> own = new ArrayDeque<>();
    private final TreeSet<CallKey> told = new TreeSet<>();
    private final int cost;
    private Optional<CallKey> after = Optional.empty();
    private boolean asking;
    private long notBeforeNs;

    private Pass(NodeId node, Why why, List<Partition> kept) {
      this.node = node;
      this.why = why;
      this.kept = kept;
      this.left = new ArrayDeque<>(kept);
      this.notBeforeNs = loop.nowNs();
      // The rate is the cluster's, of which this node has the share of what it keeps.
      int share = Math.max(1, kept.size());
      this.cost = why == Why.RESTORE ? 1 : (Partition.COUNT + share - 1) / share;
    }

    private boolean isCurrent() {
      return passes.get(node) == this;
    }

    private void begin() {
      if (why != Why.LOST) {
        goOn();
        return;
      }
      if (!nextPass.containsKey(node)) {
        log.atWarn()
            .addKeyValue("node", node)
            .addKeyValue("partitions", left.size())
            .log("media.node.calls_move");
      }
      // First those that are this node's own.
      asking = true;
      ports
          .owned()
          .accept(
              node,
              calls ->
                  loop.execute(
                      () -> {
                        asking = false;
                        own.addAll(calls);
                        goOn();
                      }));
    }

    private void goOn() {
      if (asking || !isCurrent() || loop.nowNs() - notBeforeNs < 0) {
        return;
      }
      while (!own.isEmpty()) {
        if (take(1) == 0) {
          return;
        }
        tell(own.remove());
      }
      Partition partition = left.peek();
      if (partition == null) {
        done();
        return;
      }
      int limit = take(settings.batch());
      if (limit == 0) {
        return;
      }
      asking = true;
      ports
          .partitions()
          .onMedia(
              partition,
              node,
              after,
              limit,
              answer -> loop.execute(() -> listed(partition, limit, answer)));
    }

    private Allowance allowance() {
      return why == Why.RESTORE ? restores : moves;
    }

    private int take(int wanted) {
      int taken = allowance().take(wanted * cost, loop.nowNs());
      allowance().giveBack(taken % cost);
      return taken / cost;
    }

    private void listed(Partition partition, int limit, PartitionStore.Answer<CallKey> answer) {
      asking = false;
      switch (answer) {
        case PartitionStore.Batch<CallKey>(List<CallKey> calls, boolean more) -> {
          if (!isCurrent() || !Optional.of(why).equals(MediaRounds.this.why(node))) {
            allowance().giveBack(limit * cost);
            return;
          }
          int tells = 0;
          for (CallKey call : calls) {
            tells += tell(call) ? 1 : 0;
          }
          allowance().giveBack((limit - tells) * cost);
          if (more) {
            after = calls.isEmpty() ? after : Optional.of(calls.getLast());
          } else {
            after = Optional.empty();
            left.remove(partition);
          }
        }
        // Lists are not fenced, and another keeper of the partition tells the same.
        case PartitionStore.Fenced<CallKey> fenced -> {
          allowance().giveBack(limit * cost);
          left.remove(partition);
        }
        case PartitionStore.Unavailable<CallKey> away -> {
          allowance().giveBack(limit * cost);
          unavailable.increment();
          notBeforeNs = in(settings.turn());
        }
      }
      goOn();
    }

    private boolean tell(CallKey call) {
      Restore restore = restoring.get(node);
      if (!told.add(call) || why == Why.RESTORE && restore != null && restore.told.contains(call)) {
        return false;
      }
      switch (why) {
        case RESTORE -> {
          restored.increment();
          if (restore != null) {
            restore.handed++;
          }
          ports.calls().accept(new MediaEvent.SessionLost(call, node));
        }
        case LOST -> {
          moved.increment();
          ports.calls().accept(new MediaEvent.NodeLost(call, node));
        }
        case DRAINING -> {
          moved.increment();
          ports.calls().accept(new MediaEvent.NodeDraining(call, node));
        }
      }
      return true;
    }

    private void done() {
      passes.remove(node);
      nextPass.put(node, in(settings.again()));
      Restore restore = restoring.get(node);
      if (why == Why.RESTORE && restore != null) {
        restore.covered.addAll(kept);
        restore.passedNs = loop.nowNs();
        MediaRounds.this.goOn(node, restore, loop.nowNs());
      }
    }
  }

  private long in(Duration time) {
    return loop.nowNs() + time.toNanos();
  }

  private void compareIfDue(MediaNodeSeen node) {
    if (node.standing() != Standing.RUNNING && node.standing() != Standing.DRAINING
        || restoring.containsKey(node.id())) {
      comparisons.remove(node.id());
      return;
    }
    Comparison comparison = comparisons.get(node.id());
    if (comparison == null || !comparison.incarnation.equals(node.incarnation())) {
      comparison = new Comparison(node);
      comparisons.put(node.id(), comparison);
    }
    comparison.goOnIfDue();
  }

  private void publish() {
    var all = new ArrayList<MediaLedger>();
    comparisons.values().forEach(each -> each.last.ifPresent(all::add));
    ledger = List.copyOf(all);
  }

  /** What a start of a node holds, compared with the records again and again. */
  private final class Comparison {
    private final NodeId node;
    private final Incarnation incarnation;
    private TreeMap<CallKey, MediaListing.Session> held = new TreeMap<>();
    private TreeSet<CallKey> recorded = new TreeSet<>();
    private TreeSet<CallKey> unnamed = new TreeSet<>();
    private TreeSet<CallKey> absent = new TreeSet<>();
    private TreeSet<Partition> kept = new TreeSet<>();
    private final Deque<CallKey> lost = new ArrayDeque<>();
    private Optional<MediaLedger> last = Optional.empty();
    private boolean running;

    /** Whether the node was listed a second time, after the records were read. */
    private boolean listedAgain;

    private long nextNs;

    private Comparison(MediaNodeSeen seen) {
      node = seen.id();
      incarnation = seen.incarnation();
      nextNs = loop.nowNs();
    }

    private boolean isCurrent() {
      return !stopped && comparisons.get(node) == this;
    }

    private void goOnIfDue() {
      while (!lost.isEmpty() && restores.take(1, loop.nowNs()) == 1) {
        restored.increment();
        ports.calls().accept(new MediaEvent.SessionLost(lost.remove(), node));
      }
      if (!running && loop.nowNs() - nextNs >= 0) {
        kept = new TreeSet<>(ports.kept().get());
        if (!kept.isEmpty()) {
          running = true;
          listedAgain = false;
          held = new TreeMap<>();
          recorded = new TreeSet<>();
          // The node first: what is opened meanwhile is in the record, and not the other way.
          list(Optional.empty());
        }
      }
    }

    private void list(Optional<CallKey> after) {
      ports.media().list(node, after, answer -> loop.execute(() -> listed(after, answer)));
    }

    private void listed(Optional<CallKey> after, MediaListing answer) {
      switch (answer) {
        case MediaListing.Page(List<MediaListing.Session> sessions, Optional<CallKey> rest) -> {
          for (MediaListing.Session each : sessions) {
            if (kept.contains(Partition.of(each.call()))) {
              held.put(each.call(), each);
            }
          }
          if (!isCurrent()) {
            return;
          }
          boolean forward =
              rest.isPresent() && (after.isEmpty() || rest.get().compareTo(after.get()) > 0);
          if (forward) {
            list(rest);
          } else if (listedAgain) {
            compare();
          } else {
            read(new ArrayDeque<>(kept), Optional.empty());
          }
        }
        case MediaListing.Failed failed -> failed();
      }
    }

    private void read(Deque<Partition> left, Optional<CallKey> after) {
      Partition partition = left.peek();
      if (partition == null) {
        compare();
      } else {
        ports
            .partitions()
            .onMedia(
                partition,
                node,
                after,
                PartitionStore.MAX_BATCH,
                answer -> loop.execute(() -> wasRead(left, after, answer)));
      }
    }

    private void wasRead(
        Deque<Partition> left, Optional<CallKey> after, PartitionStore.Answer<CallKey> answer) {
      if (!isCurrent()) {
        return;
      }
      switch (answer) {
        case PartitionStore.Batch<CallKey>(List<CallKey> calls, boolean more) -> {
          recorded.addAll(calls);
          if (more) {
            read(left, calls.isEmpty() ? after : Optional.of(calls.getLast()));
          } else {
            left.remove();
            read(left, Optional.empty());
          }
        }
        case PartitionStore.Fenced<CallKey> fenced -> failed();
        case PartitionStore.Unavailable<CallKey> away -> failed();
      }
    }

    private void failed() {
      unavailable.increment();
      running = false;
      nextNs = in(settings.compareEvery());
    }

    private void compare() {
      if (last.isEmpty() && !listedAgain && !held.keySet().containsAll(recorded)) {
        // What was opened since the node was listed is not lost.
        listedAgain = true;
        list(Optional.empty());
        return;
      }
      running = false;
      nextNs = in(settings.compareEvery());
      var nobodys = new TreeSet<CallKey>();
      int pairs = 0;
      for (MediaListing.Session each : held.values()) {
        pairs += each.pairs();
        // One that is not confirmed may be older than its record, and ends by itself.
        if (each.confirmed() && !recorded.contains(each.call())) {
          nobodys.add(each.call());
        }
      }
      var nowhere = new TreeSet<>(recorded);
      nowhere.removeAll(held.keySet());
      var orphans = new TreeSet<>(nobodys);
      orphans.retainAll(unnamed);
      var missing = new TreeSet<>(nowhere);
      if (last.isPresent()) {
        missing.retainAll(absent);
      }
      unnamed = nobodys;
      absent = nowhere;
      for (CallKey orphan : orphans) {
        orphansReleased.increment();
        log.atWarn()
            .addKeyValue("node", node)
            .addKeyValue("call", orphan)
            .log("media.orphan.released");
        MediaListing.Session session = held.get(orphan);
        if (session != null) {
          ports.media().release(node, orphan, session.revision(), answer -> {});
        }
      }
      lost.clear();
      lost.addAll(missing);
      int sum = pairs;
      last =
          seen(node)
              .map(
                  now ->
                      new MediaLedger(
                          node,
                          now.standing(),
                          held.size(),
                          recorded.size(),
                          orphans.size(),
                          missing.size(),
                          sum,
                          now.pairsInUse()));
      publish();
    }
  }
}
