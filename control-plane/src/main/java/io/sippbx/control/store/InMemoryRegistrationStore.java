package io.sippbx.control.store;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.Registration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Registrations in the memory of one process: for the simulator, and for a server without Redis.
 *
 * <p>For any thread. A store answers through its loop; {@link #on} gives the same records to
 * another. Expired records are dropped when the next commit comes, so that what is held is bounded
 * by the limit and by what has not expired at the last commit.
 */
public final class InMemoryRegistrationStore implements RegistrationStore {

  private final Records records;
  private final Loop loop;

  /** Where what is told goes, in the same step. */
  public interface Outbox {
    /** Puts the events of the step there, or says how many wait if that leaves no room. */
    OptionalLong append(RegistrationCommit commit, Instant now);
  }

  /**
   * Of which nobody is told.
   *
   * @param maxRecords addresses-of-record; a commit that would make more is answered Unknown
   * @param loop answers come through it, and time is its
   */
  public InMemoryRegistrationStore(int maxRecords, Loop loop) {
    this(maxRecords, loop, (commit, now) -> OptionalLong.empty());
  }

  /**
   * @param maxRecords addresses-of-record; a commit that would make more is answered Unknown
   * @param loop answers come through it, and time is its
   */
  public InMemoryRegistrationStore(int maxRecords, Loop loop, Outbox outbox) {
    this(new Records(maxRecords, outbox), loop);
  }

  private InMemoryRegistrationStore(Records records, Loop loop) {
    this.records = records;
    this.loop = loop;
  }

  /** The same records, with answers through another loop. */
  public InMemoryRegistrationStore on(Loop other) {
    return new InMemoryRegistrationStore(records, other);
  }

  /** What puts all back as it is now, as a fail-over does that loses writes; for tests of one. */
  public Runnable checkpoint() {
    return records.checkpoint();
  }

  /** Commits that were turned away because the store was full. */
  public long refusals() {
    return records.refusals();
  }

  @Override
  public void read(Aor aor, Consumer<ReadAnswer<Registration>> answer) {
    ReadAnswer<Registration> result = records.read(aor, loop.now());
    loop.execute(() -> answer.accept(result));
  }

  @Override
  public void commit(RegistrationCommit commit, Consumer<CommitAnswer<Registration>> answer) {
    CommitAnswer<Registration> result = records.commit(commit, loop.now());
    loop.execute(() -> answer.accept(result));
  }

  @Override
  public void list(Optional<Aor> after, int limit, Consumer<ListAnswer> answer) {
    if (limit < 1 || limit > MAX_PAGE) {
      throw new IllegalArgumentException(
          "Expected a limit of 1 to " + MAX_PAGE + ", but got " + limit);
    }
    ListAnswer result = records.list(after, limit, loop.now());
    loop.execute(() -> answer.accept(result));
  }

  @Override
  public void claimExpired(Partition partition, int limit, Consumer<ExpiredAnswer> answer) {
    if (limit < 1 || limit > MAX_PAGE) {
      throw new IllegalArgumentException(
          "Expected a limit of 1 to " + MAX_PAGE + ", but got " + limit);
    }
    ExpiredAnswer result = records.claimExpired(partition, limit, loop.now());
    loop.execute(() -> answer.accept(result));
  }

  @Override
  public void count(Consumer<CountAnswer> answer) {
    CountAnswer result = records.count(loop.now());
    loop.execute(() -> answer.accept(result));
  }

  /** The records; each method is one critical section without a wait in it. */
  private static final class Records {

    private record Deadline(Instant at, Aor aor) {}

    private static final Comparator<Deadline> EARLIEST =
        Comparator.comparing(Deadline::at).thenComparing(Deadline::aor);

    private final int maxRecords;
    private final Outbox outbox;
    private final TreeMap<Aor, Versioned<Registration>> byAor = new TreeMap<>();
    private final TreeSet<Deadline> deadlines = new TreeSet<>(EARLIEST);
    private final TreeSet<Deadline> due = new TreeSet<>(EARLIEST);
    private final TreeMap<Aor, Deadline> dueByAor = new TreeMap<>();
    private long registered;
    private long bindings;
    private long refusals;

    Records(int maxRecords, Outbox outbox) {
      if (maxRecords < 1) {
        throw new IllegalArgumentException("Expected 1 record or more, but got " + maxRecords);
      }
      this.maxRecords = maxRecords;
      this.outbox = outbox;
    }

    synchronized ReadAnswer<Registration> read(Aor aor, Instant now) {
      var current = live(aor, now);
      return current == null ? new ReadAnswer.Absent<>() : new ReadAnswer.Found<>(current);
    }

    synchronized CommitAnswer<Registration> commit(RegistrationCommit commit, Instant now) {
      Aor aor = commit.aor();
      long expectedVersion = commit.expectedVersion();
      dropExpired(now);
      var current = byAor.get(aor);
      if (current == null) {
        if (expectedVersion != 0) {
          return new CommitAnswer.Gone<>();
        }
        if (byAor.size() >= maxRecords) {
          refusals++;
          return new CommitAnswer.Unknown<>(
              "the limit of " + maxRecords + " addresses-of-record is reached");
        }
      } else if (current.commit().equals(commit.id())) {
        return new CommitAnswer.AlreadyApplied<>(current.version());
      } else if (current.version() != expectedVersion) {
        return new CommitAnswer.Conflict<>(current);
      }
      OptionalLong waiting = outbox.append(commit, now);
      if (waiting.isPresent()) {
        return new CommitAnswer.Full<>(waiting.getAsLong());
      }
      remove(aor);
      Registration record = commit.record();
      var next = new Versioned<>(expectedVersion + 1, commit.id(), record);
      byAor.put(aor, next);
      deadlines.add(new Deadline(record.expiresAt(), aor));
      record.firstEnd().ifPresent(at -> due(new Deadline(at, aor)));
      tally(record, 1);
      return new CommitAnswer.Applied<>(next.version());
    }

    synchronized ListAnswer list(Optional<Aor> after, int limit, Instant now) {
      var page = new ArrayList<Entry>();
      var rest = after.isPresent() ? byAor.tailMap(after.get(), false) : byAor;
      for (var each : rest.entrySet()) {
        if (isLive(each.getValue(), now)) {
          if (page.size() == limit) {
            return new ListAnswer.Page(page, true);
          }
          page.add(new Entry(each.getKey(), each.getValue()));
        }
      }
      return new ListAnswer.Page(page, false);
    }

    synchronized ExpiredAnswer claimExpired(Partition partition, int limit, Instant now) {
      var claimed = new ArrayList<Aor>();
      boolean more = false;
      for (Deadline each : due) {
        if (each.at().isAfter(now) || more) {
          break;
        }
        if (Partition.of(each.aor()).equals(partition)) {
          more = claimed.size() == limit;
          if (!more) {
            claimed.add(each.aor());
          }
        }
      }
      for (Aor each : claimed) {
        notDue(each);
        due(new Deadline(now.plus(PartitionStore.CLAIM), each));
      }
      return new ExpiredAnswer.Due(claimed, more);
    }

    private void due(Deadline deadline) {
      due.add(deadline);
      dueByAor.put(deadline.aor(), deadline);
    }

    private void notDue(Aor aor) {
      Deadline before = dueByAor.remove(aor);
      if (before != null) {
        due.remove(before);
      }
    }

    synchronized CountAnswer count(Instant now) {
      dropExpired(now);
      return new CountAnswer.Counts(registered, bindings);
    }

    synchronized Runnable checkpoint() {
      var then = new TreeMap<>(byAor);
      return () -> {
        synchronized (this) {
          byAor.clear();
          byAor.putAll(then);
          deadlines.clear();
          registered = 0;
          bindings = 0;
          then.forEach(
              (aor, stored) -> {
                deadlines.add(new Deadline(stored.record().expiresAt(), aor));
                tally(stored.record(), 1);
              });
        }
      };
    }

    synchronized long refusals() {
      return refusals;
    }

    private @Nullable Versioned<Registration> live(Aor aor, Instant now) {
      var current = byAor.get(aor);
      return current != null && isLive(current, now) ? current : null;
    }

    private static boolean isLive(Versioned<Registration> current, Instant now) {
      return current.record().expiresAt().isAfter(now);
    }

    private void dropExpired(Instant now) {
      while (!deadlines.isEmpty() && !deadlines.first().at().isAfter(now)) {
        remove(deadlines.first().aor());
      }
    }

    private void remove(Aor aor) {
      var old = byAor.remove(aor);
      if (old != null) {
        deadlines.remove(new Deadline(old.record().expiresAt(), aor));
        notDue(aor);
        tally(old.record(), -1);
      }
    }

    private void tally(Registration record, int sign) {
      int count = record.bindings().size();
      registered += count > 0 ? sign : 0;
      bindings += (long) sign * count;
    }
  }
}
