package io.sippbx.control.cluster;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.store.Partition;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * The cluster's part of the store in memory: for the simulator, where several nodes share one, and
 * for a node that is alone. Answers through its loop; {@link #on} gives the same records to
 * another.
 */
public final class InMemoryClusterStore implements ClusterStore {

  private final Shared shared;
  private final Loop loop;

  private static final class Shared {
    private final Map<NodeId, Stored> beats = new TreeMap<>();
    private final Map<Partition, Keeping.Held> keepers = new TreeMap<>();
  }

  private record Stored(Beat beat, Instant expiresAt) {}

  /** Nobody is there yet. */
  public InMemoryClusterStore(Loop loop) {
    this(new Shared(), loop);
  }

  private InMemoryClusterStore(Shared shared, Loop loop) {
    this.shared = shared;
    this.loop = loop;
  }

  /** The same for another loop, as another node has it. */
  public InMemoryClusterStore on(Loop other) {
    return new InMemoryClusterStore(shared, other);
  }

  @Override
  public void beat(Beat beat, Duration expiry, Consumer<Answer<Beat>> answer) {
    synchronized (shared) {
      shared.beats.put(beat.node(), new Stored(beat, loop.now().plus(expiry)));
    }
    loop.execute(() -> answer.accept(new Answer.Found<>(List.of(beat))));
  }

  @Override
  public void beats(Consumer<Answer<Beat>> answer) {
    List<Beat> all;
    synchronized (shared) {
      Instant now = loop.now();
      shared.beats.values().removeIf(stored -> !stored.expiresAt().isAfter(now));
      all = shared.beats.values().stream().map(Stored::beat).toList();
    }
    loop.execute(() -> answer.accept(new Answer.Found<>(all)));
  }

  @Override
  public void leave(Member member, Consumer<Answer<Beat>> answer) {
    synchronized (shared) {
      Stored stored = shared.beats.get(member.node());
      if (stored != null && stored.beat().member().equals(member)) {
        shared.beats.remove(member.node());
      }
    }
    loop.execute(() -> answer.accept(new Answer.Found<>(List.of())));
  }

  @Override
  public void keep(
      Partition partition, Member member, List<Member> living, Consumer<Keeping> answer) {
    Keeping.Held outcome;
    synchronized (shared) {
      Keeping.Held now =
          shared.keepers.getOrDefault(partition, new Keeping.Held(Optional.empty(), 0));
      boolean free = now.member().isEmpty() || !living.contains(now.member().get());
      outcome =
          now.by(member) || !free ? now : new Keeping.Held(Optional.of(member), now.epoch() + 1);
      shared.keepers.put(partition, outcome);
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
