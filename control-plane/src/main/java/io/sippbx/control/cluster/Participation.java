package io.sippbx.control.cluster;

import io.sippbx.control.cluster.FailureDetector.Verdict;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.store.Partition;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All of a node's part in the cluster: it beats, looks who else there is, keeps what falls to it,
 * and goes round in it. The parts live on one loop; methods may be called from any thread.
 */
public final class Participation {

  private static final Logger log = LoggerFactory.getLogger(Participation.class);

  private final Loop loop;
  private final Member self;
  private final SendLease lease;
  private final Roster roster;
  private final Membership membership;
  private final Keeperships keeperships;
  private final KeeperRounds rounds;
  private volatile Consumer<List<Beat>> looked = beats -> {};
  private volatile boolean leaving;
  private volatile Figures figures = new Figures(1, 0, 0, false);

  /**
   * What is to be seen of the cluster from here.
   *
   * @param living nodes, this one among them
   * @param dead members whose calls are being looked for
   * @param kept partitions that this node keeps
   * @param alarm so many seem dead at once that none is held for it
   */
  public record Figures(int living, int dead, int kept, boolean alarm) {}

  /**
   * @param loop where all of it lives, and where {@code cluster} answers
   * @param ports to whom what a keeper finds is handed
   */
  public Participation(
      Loop loop,
      Member self,
      ClusterSettings settings,
      KeeperRounds.Stores stores,
      KeeperRounds.Ports ports) {
    this.loop = loop;
    this.self = self;
    this.lease = new SendLease(settings.lease());
    this.roster = new Roster(self);
    this.membership =
        new Membership(loop, stores.cluster(), self, settings.lease(), lease, this::told);
    this.keeperships = new Keeperships(stores.cluster(), self);
    this.rounds = new KeeperRounds(loop, settings.keeper(), lease, keeperships, stores, ports);
  }

  /** Who is there. */
  public Roster roster() {
    return roster;
  }

  /** Until when this node may send for what it has. */
  public SendLease lease() {
    return lease;
  }

  /**
   * Takes part from now on.
   *
   * @param first runs once, when a heartbeat was acknowledged for the first time: calls may be
   *     committed from then on
   */
  public void start(Runnable first) {
    var told = new AtomicBoolean();
    lease.onNewTerm(
        term -> {
          if (told.compareAndSet(false, true)) {
            first.run();
          }
        });
    membership.start();
    rounds.start();
  }

  private void told(Verdict verdict) {
    Census census = membership.census();
    roster.follow(verdict, census);
    keeperships.follow(verdict, census.beating());
    rounds.follow(verdict);
    looked.accept(census.beating());
    figures =
        new Figures(
            verdict.living().size(),
            verdict.dead().size(),
            keeperships.kept().size(),
            verdict.alarm());
  }

  /** Whether calls may be committed and new ones taken. */
  public boolean isServing() {
    return !leaving && !membership.isSuperseded() && lease.holds(loop.nowNs(), loop.now());
  }

  /** Whether another process has started under this node's name. */
  public boolean isSuperseded() {
    return membership.isSuperseded();
  }

  /** What heartbeats tell of this node from now on. */
  public void announce(Announced next) {
    membership.announce(next);
  }

  /**
   * Tells each look at the others' heartbeats, on the loop. Before {@link #start}.
   *
   * @param listener at most one
   */
  public void onLook(Consumer<List<Beat>> listener) {
    looked = listener;
  }

  /** The stream to a node has come up or gone down. */
  public void mesh(NodeId node, boolean up) {
    membership.mesh(node, up);
  }

  /** Keeps nothing from now on; others take what it kept. */
  public void leave() {
    leaving = true;
    membership.leave();
  }

  /**
   * Is no member any more: what its records name may be taken over at once.
   *
   * @param done runs when the others can see it, or cannot be told
   */
  public void stop(Runnable done) {
    leaving = true;
    rounds.stop();
    membership.stop(
        () -> {
          lease.end();
          log.atInfo().addKeyValue("member", self).log("cluster.left");
          done.run();
        });
  }

  /** The partitions that this node keeps, in their order. On the loop. */
  public List<Partition> kept() {
    return List.copyOf(keeperships.kept().keySet());
  }

  /** Whether this node keeps all partitions that fall to it. On the loop. */
  public boolean isSettled() {
    return keeperships.isSettled();
  }

  /**
   * Whether what {@code node} has left undone in a partition is for this node: it keeps the
   * partition, and no start of that node is there. Any thread.
   */
  public boolean inherits(Partition partition, NodeId node) {
    return isServing()
        && roster.keeper(partition).filter(self::equals).isPresent()
        && roster.isGone(node);
  }

  /** What this node has done as a keeper. */
  public KeeperCounts counts() {
    return rounds.counts();
  }

  /** What is to be seen of the cluster from here. */
  public Figures figures() {
    return figures;
  }
}
