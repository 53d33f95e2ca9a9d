package io.sippbx.control.cluster;

import io.sippbx.control.cluster.FailureDetector.Verdict;
import io.sippbx.control.store.Partition;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What became of the members that records name, as this node saw it last. Written on the loop of
 * the {@link Membership}; questions are for any thread.
 */
public final class Roster {

  /** Looks without any trace of a member until it is held for gone: it may have just come. */
  private static final int LOOKS = 3;

  private static final int MAX_UNHEARD = 1_000;

  /** Starts that are remembered as former ones; of more the rest are looked for anew. */
  private static final int MAX_FORMER = 1_000;

  private final Member self;
  private volatile Seen seen =
      new Seen(
          new TreeMap<>(),
          new TreeSet<>(),
          new TreeSet<>(),
          new TreeSet<>(),
          Optional.empty(),
          0,
          false);

  /** When they were asked about for the first time, of those that no look has shown. */
  private final Map<Member, Long> unheard = new LinkedHashMap<>();

  /** How a member stands. */
  public enum Standing {
    /** This start of this node. */
    SELF,
    /** It lives, or has not been silent for long enough: what it has is its own. */
    PRESENT,
    /** It is dead, was superseded, or went by itself: what it had may be taken over. */
    GONE,
    /** It was never heard of; what it has may not be touched before somebody has looked again. */
    UNKNOWN
  }

  private record Seen(
      SortedMap<NodeId, Member> beating,
      SortedSet<Member> silent,
      SortedSet<Member> gone,
      SortedSet<Member> former,
      Optional<Verdict> verdict,
      long looks,
      boolean looking) {}

  /** Nobody has been seen yet. */
  public Roster(Member self) {
    this.self = self;
  }

  /** Who lives has been told. */
  public void follow(Verdict verdict, Census census) {
    var beating = new TreeMap<NodeId, Member>();
    census.beating().forEach(beat -> beating.put(beat.node(), beat.member()));
    var silent = new TreeSet<Member>(census.lapsed());
    var gone = new TreeSet<Member>(verdict.dead());
    gone.addAll(census.left());
    long looks = seen.looks() + (verdict.looking() ? 1 : 0);
    seen =
        new Seen(
            beating,
            silent,
            gone,
            former(beating, silent),
            Optional.of(verdict),
            looks,
            verdict.looking());
  }

  /** Who beat, or was only late, and whose place another start of the node has now. */
  private SortedSet<Member> former(SortedMap<NodeId, Member> beating, SortedSet<Member> silent) {
    var former = new TreeSet<Member>();
    for (Member each : silent) {
      if (beating.containsKey(each.node())) {
        former.add(each);
      }
    }
    for (Member each : seen.beating().values()) {
      Member now = beating.get(each.node());
      if (now != null && !now.equals(each)) {
        former.add(each);
      }
    }
    for (Member each : seen.former()) {
      if (former.size() < MAX_FORMER) {
        former.add(each);
      }
    }
    former.removeAll(beating.values());
    return former;
  }

  /** How this member stands. */
  public Standing of(Member member) {
    Seen now = seen;
    if (member.equals(self)) {
      return Standing.SELF;
    }
    Member beats = now.beating().get(member.node());
    if (member.equals(beats)) {
      return Standing.PRESENT;
    }
    if (now.gone().contains(member)
        || now.former().contains(member)
        || member.node().equals(self.node())) {
      return Standing.GONE;
    }
    if (beats != null) {
      // A former start that was not seen, or one that has come since this node looked last.
      return unheard(member, now);
    }
    boolean late = now.verdict().filter(said -> said.living().contains(member.node())).isPresent();
    if (late || now.silent().contains(member)) {
      return Standing.PRESENT;
    }
    return unheard(member, now);
  }

  /**
   * Whether no start of this node is there, nor may be: what it has left undone is for its keepers.
   */
  public boolean isGone(NodeId node) {
    Seen now = seen;
    return now.looking()
        && now.looks() >= LOOKS
        && !node.equals(self.node())
        && !now.beating().containsKey(node)
        && now.verdict().filter(said -> said.living().contains(node)).isEmpty()
        && now.silent().stream()
            .noneMatch(each -> each.node().equals(node) && !now.gone().contains(each));
  }

  private Standing unheard(Member member, Seen now) {
    synchronized (unheard) {
      if (unheard.size() >= MAX_UNHEARD) {
        unheard.clear();
      }
      long since = unheard.computeIfAbsent(member, each -> now.looks());
      if (!now.looking() || now.looks() - since < LOOKS) {
        return Standing.UNKNOWN;
      }
      return Standing.GONE;
    }
  }

  /** Who may keep partitions, as far as this node knows, in order; empty: nobody has looked yet. */
  public List<NodeId> keepers() {
    return seen.verdict().map(Verdict::staying).orElse(List.of());
  }

  /** Who keeps this partition, or will, as far as this node knows; empty: nobody is there. */
  public Optional<Member> keeper(Partition partition) {
    Seen now = seen;
    return now.verdict()
        .flatMap(said -> Keepers.of(partition.number(), said.staying()))
        .flatMap(
            node ->
                node.equals(self.node())
                    ? Optional.of(self)
                    : Optional.ofNullable(now.beating().get(node)));
  }
}
