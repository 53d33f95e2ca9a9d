package io.sippbx.control.edge;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.media.MediaListing;
import io.sippbx.control.media.MediaNeed;
import io.sippbx.control.media.MediaNodeSeen;
import io.sippbx.control.media.MediaNodeSeen.Standing;
import io.sippbx.control.media.MediaPlane;
import io.sippbx.control.media.MediaRestorer;
import io.sippbx.control.media.MediaWitness;
import io.sippbx.control.media.SessionSpec;
import io.sippbx.control.media.StreamAddresses;
import io.sippbx.control.media.StreamCounts;
import io.sippbx.control.media.StreamSpec;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Media nodes as a ledger: who holds what at which revision, by the rules of the contract. A node
 * that is killed answers nothing; whoever has a session on it is told so again and again, as
 * keepers do, until nobody has.
 */
final class LedgerMediaPlane implements MediaPlane {

  private static final Duration UNCONFIRMED = Duration.ofSeconds(90);
  private static final Duration LOST_AFTER = Duration.ofSeconds(1);
  private static final Duration TIME_OUT = Duration.ofSeconds(2);
  private static final Duration ROUND = Duration.ofSeconds(5);

  private final Loop loop;
  private final Random random;
  private final TreeMap<NodeId, Node> nodes = new TreeMap<>();
  private Consumer<MediaEvent> listener = event -> {};

  /** Whether no node takes calls. */
  boolean full;

  private boolean refusesNext;
  private final List<String> violations = new ArrayList<>();

  private static final class Node {
    private final NodeId id;
    private final String ip;
    private final Map<CallKey, SessionSpec> held = new LinkedHashMap<>();
    private final Map<CallKey, Long> released = new LinkedHashMap<>();
    private final Map<CallKey, Integer> bases = new LinkedHashMap<>();

    /** Sessions that it had when it was killed, and that nobody has given up. */
    private final Map<CallKey, SessionSpec> lost = new LinkedHashMap<>();

    private int nextPort = 10_000;
    private boolean dead;
    private boolean draining;

    private Node(NodeId id, String ip) {
      this.id = id;
      this.ip = ip;
    }

    private Endpoint relay(int port) {
      return Endpoint.of(ip, 1 + port % 65_000);
    }
  }

  /** One node. */
  LedgerMediaPlane(Loop loop, Random random) {
    this(loop, random, 1);
  }

  LedgerMediaPlane(Loop loop, Random random, int count) {
    this.loop = loop;
    this.random = random;
    for (int i = 1; i <= count; i++) {
      NodeId id = node(i);
      nodes.put(id, new Node(id, "198.51.100." + (1 + i)));
    }
  }

  static NodeId node(int number) {
    return new NodeId("media-" + number);
  }

  private Node of(NodeId id) {
    return Objects.requireNonNull(nodes.get(id), () -> "no node " + id);
  }

  @Override
  public Optional<NodeId> place(MediaNeed need) {
    return place(need, List.of());
  }

  @Override
  public Optional<NodeId> place(MediaNeed need, List<NodeId> except) {
    Node best = null;
    for (Node node : nodes.values()) {
      boolean takes = !full && !node.dead && !node.draining && !except.contains(node.id);
      if (takes && (best == null || node.held.size() < best.held.size())) {
        best = node;
      }
    }
    return Optional.ofNullable(best).map(node -> node.id);
  }

  @Override
  public void apply(NodeId id, SessionSpec spec, Consumer<MediaAnswer> answer) {
    Node node = of(id);
    if (node.dead) {
      loop.schedule(LOST_AFTER, () -> answer.accept(new MediaAnswer.Unreachable("dead")));
    } else {
      later(
          () -> answer.accept(node.dead ? new MediaAnswer.Unreachable("died") : apply(node, spec)));
    }
  }

  private MediaAnswer apply(Node node, SessionSpec spec) {
    Long gone = node.released.get(spec.call());
    if (gone != null && gone >= spec.revision()) {
      return new MediaAnswer.Refused(MediaAnswer.Refusal.RELEASED, "gone", gone);
    }
    SessionSpec before = node.held.get(spec.call());
    if (before == null && node.draining) {
      return new MediaAnswer.Refused(MediaAnswer.Refusal.DRAINING, "draining", 0);
    }
    if (before == null && refusesNext) {
      refusesNext = false;
      return new MediaAnswer.Refused(MediaAnswer.Refusal.PORTS_EXHAUSTED, "no port is free", 0);
    }
    if (before != null && before.revision() > spec.revision()) {
      return new MediaAnswer.Refused(
          MediaAnswer.Refusal.STALE_REVISION, "older", before.revision());
    }
    if (before != null && before.revision() == spec.revision() && !before.equals(spec)) {
      violations.add("another spec at revision " + spec.revision() + " of " + spec.call());
    }
    node.held.put(spec.call(), spec);
    node.released.remove(spec.call());
    if (!spec.confirmed()) {
      loop.schedule(UNCONFIRMED, () -> expire(node, spec));
    }
    int base = node.bases.computeIfAbsent(spec.call(), key -> node.nextPort += 64);
    var addresses = new ArrayList<StreamAddresses>();
    for (StreamSpec stream : spec.streams()) {
      int port = base + 4 * stream.index();
      int a = stream.a().pinnedPort() == 0 ? port : stream.a().pinnedPort() - 1;
      int b = stream.b().pinnedPort() == 0 ? port + 2 : stream.b().pinnedPort() - 1;
      addresses.add(
          new StreamAddresses(
              stream.index(), node.relay(a), node.relay(a + 1), node.relay(b), node.relay(b + 1)));
    }
    return new MediaAnswer.Held(spec.revision(), addresses, List.of());
  }

  /** What nobody has confirmed since is dropped. */
  private void expire(Node node, SessionSpec spec) {
    if (spec.equals(node.held.get(spec.call()))) {
      node.held.remove(spec.call());
      node.released.put(spec.call(), Long.MAX_VALUE);
      listener.accept(new MediaEvent.Expired(spec.call(), node.id, spec.revision()));
    }
  }

  @Override
  public void release(NodeId id, CallKey call, long revision, Consumer<MediaAnswer> answer) {
    Node node = of(id);
    node.lost.remove(call);
    if (node.dead) {
      loop.schedule(TIME_OUT, () -> answer.accept(new MediaAnswer.Unreachable("dead")));
      return;
    }
    later(
        () -> {
          if (node.dead) {
            answer.accept(new MediaAnswer.Unreachable("died"));
            return;
          }
          node.held.remove(call);
          node.bases.remove(call);
          node.released.merge(call, revision, Math::max);
          var none = new StreamCounts.Direction(0, 0, 0, 0);
          answer.accept(
              new MediaAnswer.Held(revision, List.of(), List.of(new StreamCounts(0, none, none))));
        });
  }

  @Override
  public List<MediaNodeSeen> seen() {
    var seen = new ArrayList<MediaNodeSeen>();
    for (Node node : nodes.values()) {
      Standing standing =
          node.dead ? Standing.LOST : node.draining ? Standing.DRAINING : Standing.RUNNING;
      seen.add(new MediaNodeSeen(node.id, standing, new Incarnation(1), node.held.size(), 0));
    }
    return seen;
  }

  @Override
  public void witnessedBy(MediaWitness witness) {}

  @Override
  public void list(NodeId id, Optional<CallKey> after, Consumer<MediaListing> answer) {
    var sessions = new ArrayList<MediaListing.Session>();
    of(id)
        .held
        .forEach(
            (call, spec) ->
                sessions.add(
                    new MediaListing.Session(
                        call, spec.revision(), spec.confirmed(), 2 * spec.streams().size())));
    loop.execute(() -> answer.accept(new MediaListing.Page(sessions, Optional.empty())));
  }

  /** Nothing of these nodes comes back by itself. */
  @Override
  public void onRestore(MediaRestorer restorer) {}

  @Override
  public void onEvent(Consumer<MediaEvent> events) {
    listener = events;
  }

  /** Says that the call has been silent for too long, if it is to say so at all. */
  void timeOut(CallKey call) {
    for (Node node : nodes.values()) {
      SessionSpec spec = node.held.get(call);
      if (spec != null && !spec.mediaTimeout().isZero()) {
        listener.accept(new MediaEvent.MediaTimeout(call, spec.revision()));
      }
    }
  }

  /** Its node ends a session by itself, for good. */
  void lose(CallKey call) {
    for (Node node : nodes.values()) {
      if (node.held.remove(call) != null) {
        node.released.put(call, Long.MAX_VALUE);
        listener.accept(new MediaEvent.SessionLost(call, node.id));
      }
    }
  }

  /** A node dies with all its sessions, which is noticed after a second. */
  void kill(NodeId id) {
    Node node = of(id);
    node.dead = true;
    node.held.forEach(
        (call, spec) -> {
          if (spec.confirmed()) {
            node.lost.put(call, spec);
          }
        });
    node.held.clear();
    node.released.clear();
    node.bases.clear();
    loop.schedule(LOST_AFTER, () -> round(node));
  }

  private void round(Node node) {
    if (!node.dead || node.lost.isEmpty()) {
      return;
    }
    for (CallKey call : List.copyOf(node.lost.keySet())) {
      listener.accept(new MediaEvent.NodeLost(call, node.id));
    }
    loop.schedule(ROUND, () -> round(node));
  }

  /** A dead node is there again, without any session. */
  void startAgain(NodeId id) {
    Node node = of(id);
    node.dead = false;
    for (CallKey call : List.copyOf(node.lost.keySet())) {
      listener.accept(new MediaEvent.SessionLost(call, node.id));
    }
    node.lost.clear();
  }

  /** A node is to be emptied; what is on it is told so until nothing is. */
  void drain(NodeId id) {
    Node node = of(id);
    node.draining = true;
    drainRound(node);
  }

  private void drainRound(Node node) {
    for (CallKey call : List.copyOf(node.held.keySet())) {
      listener.accept(new MediaEvent.NodeDraining(call, node.id));
    }
    if (node.draining && !node.held.isEmpty()) {
      loop.schedule(ROUND, () -> drainRound(node));
    }
  }

  void undrain(NodeId id) {
    of(id).draining = false;
  }

  /** Refuses the next new session. */
  void refuseNext() {
    refusesNext = true;
  }

  List<CallKey> sessions() {
    return nodes.values().stream().flatMap(node -> node.held.keySet().stream()).toList();
  }

  List<CallKey> sessionsOf(NodeId id) {
    return List.copyOf(of(id).held.keySet());
  }

  List<String> violations() {
    return violations;
  }

  private void later(Runnable task) {
    loop.schedule(Duration.ofMillis(1 + random.nextInt(5)), task);
  }
}
