package io.sippbx.control.store;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the calls of one loop have committed in the last {@link #WINDOW}, as it would be written
 * back to a store that has lost it. Lives on its loop.
 *
 * <p>While the store gives no answers nothing is forgotten for its age: what counts is what was
 * committed last before it was gone. What is older than that is never written back: others may have
 * gone on with the call meanwhile, and its record may have ended. A store that gives no answer now
 * and then is not gone for that: all the time in which it answers makes what is remembered older.
 */
final class RecentCommits<R> {

  /** How far back a fail-over may lose writes. */
  static final Duration WINDOW = Duration.ofSeconds(30);

  /** How long after the store has come back nothing is forgotten for its age. */
  static final Duration HOLD = Duration.ofSeconds(10);

  /**
   * For how long a store goes on after a commit that it loses, where it was away for so long after
   * that the call may have ended as well: a replica is not behind for longer.
   */
  static final Duration LAG = Duration.ofSeconds(10);

  private final int limit;
  private final Predicate<R> ended;
  private final Map<CallKey, Recent<R>> recent = new LinkedHashMap<>();
  private boolean away;
  private boolean holding;
  private long awaySinceNs;
  private long backSinceNs;

  /** For how long it was away until it came back last, all times together. */
  private long awayNs;

  private long forgottenEarly;

  /** When the store was another than before; empty: it never was. */
  private OptionalLong otherSinceNs = OptionalLong.empty();

  /** Events of one commit. */
  private sealed interface Told {
    long atNs();

    List<CallEvent> events();

    /** As they were made. */
    record Made(long atNs, List<CallEvent> events) implements Told {}

    /** As they are written down. */
    record Folded(long atNs, List<ByteString> octets) implements Told {
      @Override
      public List<CallEvent> events() {
        var events = new ArrayList<CallEvent>();
        for (ByteString each : octets) {
          try {
            events.add(CallEvent.parseFrom(each));
          } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("Expected to read what was just written", e);
          }
        }
        return events;
      }
    }

    default Told folded() {
      if (this instanceof Folded) {
        return this;
      }
      var octets = new ArrayList<ByteString>();
      for (CallEvent each : events()) {
        octets.add(each.toByteString());
      }
      return new Folded(atNs(), List.copyOf(octets));
    }
  }

  /**
   * The last commit of a call, and the events of those before it that may be lost too.
   *
   * @param servedNs as {@link #servedNs} says when it was acknowledged
   * @param record what it wrote, each time that it is asked
   */
  private record Recent<R>(
      long atNs,
      long servedNs,
      long version,
      CommitId commit,
      Supplier<R> record,
      CallIndex index,
      Duration keep,
      List<Told> told) {

    Recent<R> folded(Supplier<R> again) {
      List<Told> folded = told.stream().map(Told::folded).toList();
      return new Recent<>(atNs, servedNs, version, commit, again, index, keep, folded);
    }

    /** As it is to be written back now; empty if its record would have ended by now. */
    Optional<CallRestore<R>> restore(CallKey call, long nowNs) {
      Duration left = keep.minusNanos(nowNs - atNs);
      if (left.toMillis() < 1) {
        return Optional.empty();
      }
      var events = new ArrayList<CallEvent>();
      told.forEach(each -> events.addAll(each.events()));
      int first = Math.max(0, events.size() - CallCommit.MAX_EVENTS);
      return Optional.of(
          new CallRestore<>(
              call,
              new Versioned<>(version, commit, record.get(), index.owner()),
              events.subList(first, events.size()),
              index,
              left));
    }
  }

  /**
   * @param limit calls of which the last commit is remembered; of more the oldest is forgotten; 0:
   *     none
   * @param ended whether a record is that of a call that is over
   */
  RecentCommits(int limit, Predicate<R> ended) {
    this.limit = limit;
    this.ended = ended;
  }

  /** The store has acknowledged a commit. */
  void committed(CallCommit<R> commit, long version, long nowNs) {
    if (limit == 0) {
      return;
    }
    Recent<R> before = recent.remove(commit.call());
    if (commit.record().isPresent()) {
      R record = commit.record().get();
      recent.put(
          commit.call(),
          new Recent<>(
              nowNs,
              servedNs(nowNs),
              version,
              commit.id(),
              () -> record,
              commit.index(),
              commit.keep(),
              told(before, commit, nowNs)));
    }
    forget(nowNs);
  }

  private static <R> List<Told> told(@Nullable Recent<R> before, CallCommit<R> commit, long nowNs) {
    var told = new ArrayList<Told>();
    boolean isAgain = before != null && before.commit().equals(commit.id());
    if (before != null) {
      for (Told each : before.told()) {
        if (isAgain || nowNs - each.atNs() <= WINDOW.toNanos()) {
          told.add(each);
        }
      }
    }
    if (!isAgain && !commit.events().isEmpty()) {
      told.add(new Told.Made(nowNs, commit.events()));
    }
    return told;
  }

  /** The store has not answered a question: it may be failing over. */
  void unanswered(long nowNs) {
    forget(nowNs);
    if (!away) {
      awaySinceNs = nowNs;
    }
    away = true;
    holding = true;
  }

  /** Another server answers, or may: what the former had acknowledged last may be lost. */
  void otherServer(long nowNs) {
    unanswered(nowNs);
    otherSinceNs = OptionalLong.of(nowNs);
  }

  /** The store has answered a question. */
  void answered(long nowNs) {
    if (away) {
      away = false;
      awayNs += nowNs - awaySinceNs;
      backSinceNs = nowNs;
    }
  }

  /** A clock that stands still while the store is away. */
  private long servedNs(long nowNs) {
    return (away ? awaySinceNs : nowNs) - awayNs;
  }

  /** Something that is not older than ours stands in the store. */
  void seen(CallKey call, Versioned<R> current) {
    Recent<R> ours = recent.get(call);
    if (ours != null
        && current.version() >= ours.version()
        && !current.commit().equals(ours.commit())) {
      recent.remove(call);
    }
  }

  /** What this commit wrote is kept by {@code again}, if that is the last one of the call here. */
  void fold(CallKey call, CommitId commit, Supplier<R> again) {
    recent.computeIfPresent(
        call, (key, ours) -> ours.commit().equals(commit) ? ours.folded(again) : ours);
  }

  /**
   * What is to be written back where the store holds this version of the call, 0 for no record;
   * empty if that is none before ours, or the call has ended.
   */
  Optional<CallRestore<R>> newerThan(CallKey call, long version, long nowNs) {
    forget(nowNs);
    Recent<R> ours = recent.get(call);
    return ours == null || ours.version() <= version || version == 0 && hasEnded(ours, nowNs)
        ? Optional.empty()
        : ours.restore(call, nowNs);
  }

  /**
   * The end of a call, to be committed on what stands where another has gone on from before it, and
   * knew nothing of it: nothing follows on an end, so ours was lost, and stays right. Empty if ours
   * is none, or has an owner, as somebody has not heard of it; if what stands has ended too, or has
   * an owner, who has legs open that only he can close.
   */
  Optional<CallCommit<R>> endOn(CallKey call, Versioned<R> current, long nowNs) {
    Recent<R> ours = recent.get(call);
    if (ours == null
        || current.version() < ours.version()
        || current.commit().equals(ours.commit())
        || ours.index().owner().isPresent()
        || current.owner().isPresent()
        || ended.test(current.record())) {
      return Optional.empty();
    }
    return ours.restore(call, nowNs)
        .filter(lost -> ended.test(lost.ours().record()))
        .map(
            lost ->
                new CallCommit<>(
                    call,
                    Optional.of(current),
                    lost.ours().commit(),
                    Optional.of(lost.ours().record()),
                    lost.events(),
                    lost.index(),
                    lost.keep(),
                    OptionalLong.empty()));
  }

  /**
   * Whether a call without a record is taken for one that has ended, rather than was lost: our
   * commit is so old that another's tombstone may be over, and the server is the one that
   * acknowledged it, or had gone on for so long that it is hardly lost.
   */
  private boolean hasEnded(Recent<R> ours, long nowNs) {
    if (nowNs - ours.atNs() <= WINDOW.plus(HOLD).toNanos()) {
      return false;
    }
    boolean isOther = otherSinceNs.isPresent() && otherSinceNs.getAsLong() - ours.atNs() >= 0;
    return !isOther || servedNs(nowNs) - ours.servedNs() > LAG.toNanos();
  }

  /** All that would be written back where there is no record, the oldest first. */
  List<CallRestore<R>> all(long nowNs) {
    forget(nowNs);
    var all = new ArrayList<CallRestore<R>>();
    recent.forEach(
        (call, ours) -> {
          if (!hasEnded(ours, nowNs)) {
            ours.restore(call, nowNs).ifPresent(all::add);
          }
        });
    return all;
  }

  private void forget(long nowNs) {
    Iterator<Recent<R>> oldest = recent.values().iterator();
    for (int over = recent.size() - limit; over > 0; over--) {
      oldest.next();
      oldest.remove();
      forgottenEarly++;
    }
    holding = away || holding && nowNs - backSinceNs < HOLD.toNanos();
    while (oldest.hasNext() && isTooOld(oldest.next(), nowNs)) {
      oldest.remove();
    }
  }

  private boolean isTooOld(Recent<R> ours, long nowNs) {
    return holding
        ? servedNs(nowNs) - ours.servedNs() > WINDOW.plus(HOLD).toNanos()
        : nowNs - ours.atNs() > WINDOW.toNanos();
  }

  int size() {
    return recent.size();
  }

  /** Calls that were forgotten for the limit before their time. */
  long forgottenEarly() {
    return forgottenEarly;
  }
}
