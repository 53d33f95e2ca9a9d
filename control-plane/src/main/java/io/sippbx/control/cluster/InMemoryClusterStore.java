package io.sippbx.control.cluster;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.store.Partition;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.ObjLongConsumer;

/**
 * The cluster's part of the store in memory: for the simulator, where several nodes share one, and
 * for a node that is alone. Answers through its loop; {@link #on} gives the same records to
 * another. For any thread.
 */
public final class InMemoryClusterStore implements ClusterStore {

  private final Shared shared;
  private final Loop loop;

  private static final class Shared {
    private final ObjLongConsumer<Partition> epochs;
    private final Map<NodeId, Stored> beats = new TreeMap<>();
    private final TreeMap<Member, Known> members = new TreeMap<>();
    private final Map<Partition, Keeping.Held> keepers = new TreeMap<>();
    private long order;

    /** What puts all but the epochs of partitions back as it is now. */
    private synchronized Runnable checkpoint() {
      var beatsThen = new TreeMap<>(beats);
      var membersThen = copy(members);
      var keepersThen = new TreeMap<>(keepers);
      return () -> {
        synchronized (this) {
          beats.clear();
          beats.putAll(beatsThen);
          members.clear();
          members.putAll(copy(membersThen));
          keepers.clear();
          keepers.putAll(keepersThen);
        }
      };
    }

    private static Map<Member, Known> copy(Map<Member, Known> members) {
      var copy = new TreeMap<Member, Known>();
      members.forEach((member, known) -> copy.put(member, known.copy()));
      return copy;
    }

    private Shared(ObjLongConsumer<Partition> epochs) {
      this.epochs = epochs;
    }
  }

  private record Stored(Beat beat, List<Incarnation> former, Instant expiresAt) {}

  /** Least recently beaten first. */
  private static final Comparator<Map.Entry<Member, Known>> OLDEST =
      Comparator.comparingLong(each -> each.getValue().beaten);

  private static final class Known {
    private long beaten;
    private boolean left;
    private final TreeSet<Partition> swept = new TreeSet<>();
    private Instant sweptUntil = Instant.EPOCH;

    private Known copy() {
      var copy = new Known();
      copy.beaten = beaten;
      copy.left = left;
      copy.swept.addAll(swept);
      copy.sweptUntil = sweptUntil;
      return copy;
    }
  }

  /** Nobody is there yet. */
  public InMemoryClusterStore(Loop loop) {
    this(loop, (partition, epoch) -> {});
  }

  /**
   * @param epochs is told each partition's new epoch before its keeper is: what checks the epochs
   *     of commits and claims
   */
  public InMemoryClusterStore(Loop loop, ObjLongConsumer<Partition> epochs) {
    this(new Shared(epochs), loop);
  }

  private InMemoryClusterStore(Shared shared, Loop loop) {
    this.shared = shared;
    this.loop = loop;
  }

  /** The same for another loop, as another node has it. */
  public InMemoryClusterStore on(Loop other) {
    return new InMemoryClusterStore(shared, other);
  }

  /** What puts all back as it is now, as a fail-over does that loses writes; for tests of one. */
  public Runnable checkpoint() {
    return shared.checkpoint();
  }

  @Override
  public void beat(Beat beat, Duration expiry, Consumer<Beating> answer) {
    Beating outcome;
    synchronized (shared) {
      outcome = beaten(beat, expiry);
    }
    loop.execute(() -> answer.accept(outcome));
  }

  private Beating beaten(Beat beat, Duration expiry) {
    Instant now = loop.now();
    dropExpired(now);
    Stored stored = shared.beats.get(beat.node());
    var former = new ArrayList<Incarnation>();
    Beat next = beat;
    if (stored != null) {
      former.addAll(stored.former());
      Incarnation there = stored.beat().incarnation();
      if (there.equals(beat.incarnation())) {
        next = beat.sequence() < stored.beat().sequence() ? stored.beat() : beat;
      } else if (former.contains(beat.incarnation())) {
        return new Beating.Superseded(there);
      } else {
        former.add(there);
        if (former.size() > MAX_FORMER) {
          former.removeFirst();
        }
      }
    }
    shared.beats.put(beat.node(), new Stored(next, List.copyOf(former), now.plus(expiry)));
    Known known = new Known();
    known.beaten = shared.order++;
    shared.members.put(beat.member(), known);
    if (shared.members.size() > MAX_MEMBERS) {
      shared.members.entrySet().stream()
          .min(OLDEST)
          .map(Map.Entry::getKey)
          .ifPresent(shared.members::remove);
    }
    return new Beating.Acknowledged();
  }

  private void dropExpired(Instant now) {
    shared.beats.values().removeIf(stored -> !stored.expiresAt().isAfter(now));
  }

  @Override
  public void census(Consumer<Answer<Census>> answer) {
    var beating = new ArrayList<Beat>();
    var lapsed = new ArrayList<Member>();
    var left = new ArrayList<Member>();
    synchronized (shared) {
      dropExpired(loop.now());
      shared.members.forEach(
          (member, known) -> {
            Stored stored = shared.beats.get(member.node());
            if (stored != null && stored.beat().member().equals(member)) {
              beating.add(stored.beat());
            } else {
              (known.left ? left : lapsed).add(member);
            }
          });
    }
    var census = new Census(beating, lapsed, left);
    loop.execute(() -> answer.accept(new Answer.Found<>(census)));
  }

  @Override
  public void leave(Member member, Consumer<Answer<Member>> answer) {
    synchronized (shared) {
      Stored stored = shared.beats.get(member.node());
      if (stored != null && stored.beat().member().equals(member)) {
        shared.beats.remove(member.node());
      }
      Known known = shared.members.get(member);
      if (known != null) {
        known.left = true;
      }
    }
    loop.execute(() -> answer.accept(new Answer.Found<>(member)));
  }

  @Override
  public void swept(Member dead, List<Partition> partitions, Consumer<Answer<Integer>> answer) {
    ClusterStore.checkSwept(partitions);
    int remaining;
    synchronized (shared) {
      remaining = remaining(dead, partitions);
    }
    loop.execute(() -> answer.accept(new Answer.Found<>(remaining)));
  }

  private int remaining(Member dead, List<Partition> partitions) {
    Instant now = loop.now();
    dropExpired(now);
    Known known = shared.members.get(dead);
    if (known == null) {
      return 0;
    }
    Stored stored = shared.beats.get(dead.node());
    if (stored != null && stored.beat().member().equals(dead)) {
      return Partition.COUNT;
    }
    if (!known.sweptUntil.isAfter(now)) {
      known.swept.clear();
    }
    known.swept.addAll(partitions);
    known.sweptUntil = now.plus(SWEPT);
    int remaining = Partition.COUNT - known.swept.size();
    if (remaining == 0) {
      shared.members.remove(dead);
    }
    return remaining;
  }

  @Override
  public void keep(
      Partition partition, Member member, List<Member> living, Consumer<Keeping> answer) {
    Keeping.Held outcome;
    synchronized (shared) {
      Keeping.Held now =
          shared.keepers.getOrDefault(partition, new Keeping.Held(Optional.empty(), 0));
      boolean free = now.member().isEmpty() || !living.contains(now.member().get());
      if (now.by(member) || !free) {
        outcome = now;
      } else {
        long epoch = Math.max(now.epoch() + 1, loop.now().toEpochMilli());
        outcome = new Keeping.Held(Optional.of(member), epoch);
        shared.keepers.put(partition, outcome);
        shared.epochs.accept(partition, epoch);
      }
    }
    loop.execute(() -> answer.accept(outcome));
  }

  @Override
  public void giveUp(Partition partition, Member member, Consumer<Keeping> answer) {
    Keeping.Held outcome;
    synchronized (shared) {
      Keeping.Held now =
          shared.keepers.getOrDefault(partition, new Keeping.Held(Optional.empty(), 0));
      outcome = now.by(member) ? new Keeping.Held(Optional.empty(), now.epoch()) : now;
      shared.keepers.put(partition, outcome);
    }
    loop.execute(() -> answer.accept(outcome));
  }
}
