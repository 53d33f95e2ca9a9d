package io.sippbx.control.store;

import io.sippbx.control.store.CommitAnswer.AlreadyApplied;
import io.sippbx.control.store.CommitAnswer.Applied;
import io.sippbx.control.store.CommitAnswer.Conflict;
import io.sippbx.control.store.CommitAnswer.Fenced;
import io.sippbx.control.store.CommitAnswer.Full;
import io.sippbx.control.store.CommitAnswer.Gone;
import io.sippbx.control.store.PartitionStore.Batch;
import io.sippbx.control.store.PartitionStore.DueTimer;
import io.sippbx.control.store.PartitionStore.OutboxEntry;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A partition of {@link InMemoryCallStore}; each method is one critical section without a wait in
 * it, as a Lua script is one step of Redis.
 */
final class InMemoryPartition<R> {

  /**
   * @param lostAfter where the record was written back: the version that stood there before
   */
  private record Stored<R>(
      Versioned<R> current,
      CallIndex index,
      List<OutboxId> outbox,
      Instant expiresAt,
      OptionalLong lostAfter) {}

  private record Deadline(Instant at, CallKey call) {}

  private record TimerKey(CallKey call, String name) {}

  private static final Comparator<Deadline> EARLIEST =
      Comparator.comparing(Deadline::at).thenComparing(Deadline::call);

  private static final Comparator<TimerKey> BY_CALL =
      Comparator.comparing(TimerKey::call).thenComparing(TimerKey::name);

  private static final Comparator<DueTimer> FIRST_DUE =
      Comparator.comparing(DueTimer::dueAt)
          .thenComparing(DueTimer::call)
          .thenComparing(DueTimer::name);

  private final boolean keepsEvents;
  private OutboxLimit outboxLimit;
  private final TreeMap<CallKey, Stored<R>> records = new TreeMap<>();
  private final TreeSet<Deadline> deadlines = new TreeSet<>(EARLIEST);
  private final TreeMap<TimerKey, Instant> timers = new TreeMap<>(BY_CALL);
  private final Map<NodeId, NavigableSet<CallKey>> inFlight = new TreeMap<>();
  private final Map<NodeId, NavigableSet<CallKey>> onMedia = new TreeMap<>();
  private final NavigableSet<CallKey> listed = new TreeSet<>();
  private final TreeMap<OutboxId, OutboxEvent> outbox = new TreeMap<>();
  private final TreeMap<OutboxId, OutboxEvent> aside = new TreeMap<>();
  private long lastOutboxMs;
  private long lastOutboxOrdinal;
  private long epoch;

  InMemoryPartition(int maxOutbox) {
    this.keepsEvents = maxOutbox > 0;
    this.outboxLimit = new OutboxLimit(maxOutbox);
  }

  synchronized ReadAnswer<R> read(CallKey call, Instant now) {
    Stored<R> stored = live(call, now);
    return stored == null ? new ReadAnswer.Absent<>() : new ReadAnswer.Found<>(stored.current());
  }

  synchronized CommitAnswer<R> commit(CallCommit<R> commit, Instant now) {
    dropExpired(now);
    Stored<R> stored = records.get(commit.call());
    if (stored != null && stored.current().commit().equals(commit.id())) {
      return new AlreadyApplied<>(stored.current().version(), stored.outbox());
    }
    if (commit.epoch().isPresent() && commit.epoch().getAsLong() != epoch) {
      return new Fenced<>(epoch);
    }
    if (stored == null) {
      if (commit.read().isPresent()) {
        return new Gone<>();
      }
    } else if (commit.read().isEmpty() || !isSame(commit.read().get(), stored.current())) {
      return new Conflict<>(stored.current());
    }
    OptionalLong room = outboxLimit.roomFor(commit);
    if (room.isPresent() && outbox.size() + commit.events().size() > room.getAsLong()) {
      return new Full<>(outbox.size());
    }
    long version = commit.expectedVersion() + 1;
    List<OutboxId> ids = append(commit.events(), now);
    if (commit.record().isPresent()) {
      put(
          commit.call(),
          new Stored<>(
              new Versioned<>(version, commit.id(), commit.record().get(), commit.index().owner()),
              commit.index(),
              ids,
              now.plus(commit.keep()),
              stored == null ? OptionalLong.empty() : stored.lostAfter()));
    } else {
      unindex(commit.call());
      forget(commit.call());
    }
    return new Applied<>(version, ids);
  }

  synchronized CommitAnswer<R> restore(CallRestore<R> restore, Instant now) {
    dropExpired(now);
    Stored<R> stored = records.get(restore.call());
    if (stored != null) {
      if (isSame(restore.ours(), stored.current())) {
        return new AlreadyApplied<>(stored.current().version(), stored.outbox());
      }
      if (stored.current().version() >= restore.ours().version()) {
        if (stored.current().version() > restore.ours().version()
            && stored.lostAfter().isPresent()
            && stored.lostAfter().getAsLong() < restore.ours().version()) {
          append(restore.events(), now);
        }
        return new Conflict<>(stored.current());
      }
    }
    List<OutboxId> ids = append(restore.events(), now);
    put(
        restore.call(),
        new Stored<>(
            restore.ours(),
            restore.index(),
            ids,
            now.plus(restore.keep()),
            OptionalLong.of(stored == null ? 0 : stored.current().version())));
    return new Applied<>(restore.ours().version(), ids);
  }

  private static boolean isSame(Versioned<?> one, Versioned<?> other) {
    return one.version() == other.version() && one.commit().equals(other.commit());
  }

  private void put(CallKey call, Stored<R> next) {
    unindex(call);
    forget(call);
    records.put(call, next);
    deadlines.add(new Deadline(next.expiresAt(), call));
    CallIndex index = next.index();
    if (index.listed()) {
      listed.add(call);
    }
    index.owner().ifPresent(owner -> members(inFlight, owner.node()).add(call));
    index.onMedia().forEach(node -> members(onMedia, node).add(call));
    index.timers().forEach((name, at) -> timers.put(new TimerKey(call, name), at));
  }

  private static NavigableSet<CallKey> members(
      Map<NodeId, NavigableSet<CallKey>> sets, NodeId node) {
    return sets.computeIfAbsent(node, each -> new TreeSet<>());
  }

  private void forget(CallKey call) {
    Stored<R> old = records.remove(call);
    if (old != null) {
      deadlines.remove(new Deadline(old.expiresAt(), call));
    }
  }

  private void unindex(CallKey call) {
    Stored<R> old = records.get(call);
    if (old != null) {
      listed.remove(call);
      old.index().owner().ifPresent(owner -> leave(inFlight, owner.node(), call));
      old.index().onMedia().forEach(node -> leave(onMedia, node, call));
      old.index().timers().keySet().forEach(name -> timers.remove(new TimerKey(call, name)));
    }
  }

  private static void leave(Map<NodeId, NavigableSet<CallKey>> sets, NodeId node, CallKey call) {
    NavigableSet<CallKey> members = sets.get(node);
    if (members != null && members.remove(call) && members.isEmpty()) {
      sets.remove(node);
    }
  }

  private @Nullable Stored<R> live(CallKey call, Instant now) {
    Stored<R> stored = records.get(call);
    return stored != null && stored.expiresAt().isAfter(now) ? stored : null;
  }

  /** As in Redis an expired record leaves its traces in the indexes to who next looks there. */
  private void dropExpired(Instant now) {
    while (!deadlines.isEmpty() && !deadlines.first().at().isAfter(now)) {
      forget(deadlines.first().call());
    }
  }

  private List<OutboxId> append(List<CallEvent> events, Instant now) {
    if (!keepsEvents) {
      return List.of();
    }
    var ids = new ArrayList<OutboxId>();
    for (CallEvent event : events) {
      ids.add(append(new OutboxEvent.OfCall(event), now));
    }
    return ids;
  }

  private OutboxId append(OutboxEvent event, Instant now) {
    long ms = Math.max(now.toEpochMilli(), lastOutboxMs);
    lastOutboxOrdinal = ms == lastOutboxMs ? lastOutboxOrdinal + 1 : 0;
    lastOutboxMs = ms;
    var id = new OutboxId(ms + "-" + lastOutboxOrdinal);
    outbox.put(id, event);
    return id;
  }

  /**
   * Puts the events of a step of a registration into the outbox.
   *
   * @return how many wait there, if that leaves no room for them
   */
  synchronized OptionalLong append(RegistrationCommit commit, Instant now) {
    OptionalLong room = outboxLimit.roomFor(commit);
    if (room.isPresent() && outbox.size() + commit.events().size() > room.getAsLong()) {
      return OptionalLong.of(outbox.size());
    }
    if (keepsEvents) {
      commit.events().forEach(event -> append(new OutboxEvent.OfRegistration(event), now));
    }
    return OptionalLong.empty();
  }

  synchronized PartitionStore.Answer<DueTimer> claimTimers(
      OptionalLong claiming, int limit, Instant now) {
    if (claiming.isPresent() && claiming.getAsLong() != epoch) {
      return new PartitionStore.Fenced<>(epoch);
    }
    dropExpired(now);
    var due = new ArrayList<DueTimer>();
    timers.forEach(
        (key, at) -> {
          if (!at.isAfter(now)) {
            due.add(new DueTimer(key.call(), key.name(), at));
          }
        });
    due.sort(FIRST_DUE);
    List<DueTimer> looked = due.subList(0, Math.min(limit, due.size()));
    var claimed = new ArrayList<DueTimer>();
    // To the millisecond, as Redis keeps it.
    Instant later = Instant.ofEpochMilli(now.toEpochMilli()).plus(PartitionStore.CLAIM);
    for (DueTimer each : looked) {
      var key = new TimerKey(each.call(), each.name());
      if (records.containsKey(each.call())) {
        timers.put(key, later);
        claimed.add(each);
      } else {
        timers.remove(key);
      }
    }
    return new Batch<>(claimed, due.size() > limit);
  }

  synchronized PartitionStore.Answer<CallKey> inFlight(
      NodeId node, Optional<CallKey> after, int limit, Instant now) {
    return list(inFlight, node, after, limit, now);
  }

  synchronized PartitionStore.Answer<CallKey> onMedia(
      NodeId node, Optional<CallKey> after, int limit, Instant now) {
    return list(onMedia, node, after, limit, now);
  }

  synchronized PartitionStore.Answer<CallKey> calls(
      Optional<CallKey> after, int limit, Instant now) {
    dropExpired(now);
    return page(listed, after, limit);
  }

  private PartitionStore.Answer<CallKey> list(
      Map<NodeId, NavigableSet<CallKey>> sets,
      NodeId node,
      Optional<CallKey> after,
      int limit,
      Instant now) {
    dropExpired(now);
    NavigableSet<CallKey> members = sets.get(node);
    if (members == null) {
      return new Batch<>(List.of(), false);
    }
    Batch<CallKey> page = page(members, after, limit);
    if (members.isEmpty()) {
      sets.remove(node);
    }
    return page;
  }

  private Batch<CallKey> page(NavigableSet<CallKey> members, Optional<CallKey> after, int limit) {
    var rest = after.isPresent() ? members.tailSet(after.get(), false) : members;
    List<CallKey> page = rest.stream().limit(limit).toList();
    boolean more = !page.isEmpty() && members.higher(page.getLast()) != null;
    var living = new ArrayList<CallKey>();
    for (CallKey each : page) {
      if (records.containsKey(each)) {
        living.add(each);
      } else {
        members.remove(each);
      }
    }
    return new Batch<>(living, more);
  }

  synchronized PartitionStore.Answer<OutboxEntry> outbox(Optional<OutboxId> after, int limit) {
    var rest = after.isPresent() ? outbox.tailMap(after.get(), false) : outbox;
    var page = new ArrayList<OutboxEntry>();
    for (Map.Entry<OutboxId, OutboxEvent> each : rest.entrySet()) {
      if (page.size() == limit) {
        return new Batch<>(page, true);
      }
      page.add(new OutboxEntry(each.getKey(), each.getValue()));
    }
    return new Batch<>(page, false);
  }

  synchronized PartitionStore.Answer<OutboxId> acknowledge(List<OutboxId> ids) {
    ids.forEach(outbox::remove);
    return new Batch<>(ids, false);
  }

  synchronized PartitionStore.Answer<OutboxId> setAside(List<OutboxId> ids) {
    var moved = new ArrayList<OutboxId>();
    for (OutboxId id : ids) {
      OutboxEvent event = aside.size() < PartitionStore.MAX_ASIDE ? outbox.remove(id) : null;
      if (event != null) {
        aside.put(id, event);
        moved.add(id);
      }
    }
    return new Batch<>(moved, false);
  }

  synchronized PartitionStore.Answer<Long> outboxDepth() {
    return new Batch<>(List.of((long) outbox.size()), false);
  }

  synchronized void setEpoch(long next) {
    epoch = next;
  }

  synchronized void limitOutbox(OutboxLimit limit) {
    outboxLimit = limit;
  }

  /** What puts all back as it is now. */
  synchronized Runnable checkpoint() {
    var records = new TreeMap<>(this.records);
    var timers = new TreeMap<>(this.timers);
    var inFlight = copy(this.inFlight);
    var onMedia = copy(this.onMedia);
    var listed = new TreeSet<>(this.listed);
    var outbox = new TreeMap<>(this.outbox);
    var aside = new TreeMap<>(this.aside);
    long epoch = this.epoch;
    return () -> {
      synchronized (this) {
        replace(this.records, records);
        deadlines.clear();
        records.forEach((call, stored) -> deadlines.add(new Deadline(stored.expiresAt(), call)));
        replace(this.timers, timers);
        replace(this.inFlight, copy(inFlight));
        replace(this.onMedia, copy(onMedia));
        this.listed.clear();
        this.listed.addAll(listed);
        replace(this.outbox, outbox);
        replace(this.aside, aside);
        this.epoch = epoch;
      }
    };
  }

  private static <K, V> void replace(Map<K, V> all, Map<K, V> by) {
    all.clear();
    all.putAll(by);
  }

  private static Map<NodeId, NavigableSet<CallKey>> copy(Map<NodeId, NavigableSet<CallKey>> sets) {
    var copy = new TreeMap<NodeId, NavigableSet<CallKey>>();
    sets.forEach((node, calls) -> copy.put(node, new TreeSet<>(calls)));
    return copy;
  }

  synchronized int timers() {
    return timers.size();
  }

  synchronized int size() {
    return records.size();
  }
}
