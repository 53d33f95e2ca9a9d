package io.sippbx.control.cluster;

import io.sippbx.control.cluster.FailureDetector.Verdict;
import io.sippbx.control.loop.Loop;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's part in the cluster: beats, looks at the others' beats, and tells who lives. Lives on
 * its loop; what it calls is called there.
 */
public final class Membership {

  private static final Logger log = LoggerFactory.getLogger(Membership.class);

  private final Loop loop;
  private final ClusterStore store;
  private final Member self;
  private final LeaseSettings settings;
  private final SendLease lease;
  private final FailureDetector detector;
  private final Consumer<Verdict> listener;
  private Loop.@Nullable Timer next;
  private long sequence;
  private long lastTurnNs;
  private boolean leaving;
  private boolean stopped;
  private volatile boolean superseded;
  private volatile Announced announced = Announced.NOTHING;
  private Census known = new Census(List.of(), List.of(), List.of());

  /**
   * @param lease is prolonged by each acknowledged heartbeat
   * @param listener is told after each look, whether or not anything has changed
   */
  public Membership(
      Loop loop,
      ClusterStore store,
      Member self,
      LeaseSettings settings,
      SendLease lease,
      Consumer<Verdict> listener) {
    this.loop = loop;
    this.store = store;
    this.self = self;
    this.settings = settings;
    this.lease = lease;
    this.detector = new FailureDetector(self, settings);
    this.listener = listener;
  }

  /** What heartbeats tell of this node from now on. Any thread. */
  public void announce(Announced next) {
    announced = next;
  }

  /** Takes part from now on. Any thread. */
  public void start() {
    loop.execute(
        () -> {
          lastTurnNs = loop.nowNs();
          turn();
        });
  }

  /** From now on this node keeps nothing and is given nothing new. Any thread. */
  public void leave() {
    loop.execute(
        () -> {
          leaving = true;
          detector.leave();
          if (!stopped) {
            beat();
          }
        });
  }

  /** Takes part no more; {@code done} runs on the loop when the heartbeat is gone, or cannot be. */
  public void stop(Runnable done) {
    loop.execute(
        () -> {
          stopped = true;
          if (next != null) {
            next.cancel();
          }
          store.leave(self, answer -> done.run());
        });
  }

  /** The stream to a node has come up or gone down. Any thread. */
  public void mesh(NodeId node, boolean up) {
    loop.execute(() -> detector.mesh(node, up));
  }

  /**
   * Whether another process has started under this node's name: this one beats no more, keeps
   * nothing, and its lease ends. Any thread.
   */
  public boolean isSuperseded() {
    return superseded;
  }

  /** The heartbeats that were read last. On the loop. */
  public List<Beat> known() {
    return known.beating();
  }

  /** All members that were read last. On the loop. */
  public Census census() {
    return known;
  }

  private void turn() {
    if (stopped) {
      return;
    }
    long now = loop.nowNs();
    if (now - lastTurnNs > settings.gap().toNanos()) {
      // The loop lagged, or the process was paused: what was not seen is not held against anybody.
      detector.gap(now);
    }
    lastTurnNs = now;
    next = loop.schedule(settings.beat(), this::turn);
    beat();
    store.census(this::looked);
  }

  private void beat() {
    if (superseded) {
      return;
    }
    long sentNs = loop.nowNs();
    Instant sent = loop.now();
    sequence++;
    store.beat(
        new Beat(self.node(), self.incarnation(), sequence, leaving, announced),
        settings.lease(),
        answer -> beaten(sentNs, sent, answer));
  }

  private void beaten(long sentNs, Instant sent, ClusterStore.Beating answer) {
    switch (answer) {
      case ClusterStore.Beating.Acknowledged acknowledged ->
          lease.acknowledged(sentNs, sent, loop.nowNs(), loop.now());
      case ClusterStore.Beating.Superseded by -> {
        if (!superseded) {
          superseded = true;
          // It ends by itself, but another process is this node by now.
          lease.end();
          detector.leave();
          log.atError()
              .addKeyValue("node", self.node())
              .addKeyValue("by", by.by())
              .log("cluster.superseded: another process has started with this cluster.node_id");
        }
      }
      case ClusterStore.Beating.Unavailable unavailable -> {
        // The lease runs on to its end.
      }
    }
  }

  private void looked(ClusterStore.Answer<Census> answer) {
    long now = loop.nowNs();
    switch (answer) {
      case ClusterStore.Answer.Found<Census>(Census census) -> {
        known = census;
        detector.looked(census, now);
      }
      case ClusterStore.Answer.Unavailable<Census> unavailable -> detector.gap(now);
    }
    if (!stopped) {
      listener.accept(detector.verdict(now));
    }
  }
}
