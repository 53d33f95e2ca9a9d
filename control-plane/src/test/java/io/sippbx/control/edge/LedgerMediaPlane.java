package io.sippbx.control.edge;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.media.MediaNeed;
import io.sippbx.control.media.MediaPlane;
import io.sippbx.control.media.SessionSpec;
import io.sippbx.control.media.StreamAddresses;
import io.sippbx.control.media.StreamCounts;
import io.sippbx.control.media.StreamSpec;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;

/** Media nodes as a ledger: who holds what at which revision, by the rules of the contract. */
final class LedgerMediaPlane implements MediaPlane {

  private static final NodeId NODE = new NodeId("media-1");
  private static final Duration UNCONFIRMED = Duration.ofSeconds(90);

  private final Loop loop;
  private final Random random;
  private final Map<CallKey, SessionSpec> held = new LinkedHashMap<>();
  private final Map<CallKey, Long> released = new LinkedHashMap<>();
  private Consumer<MediaEvent> listener = event -> {};

  /** Whether no node takes calls. */
  boolean full;

  private int nextPort = 10_000;
  private boolean refusesNext;
  private final Map<CallKey, Integer> bases = new LinkedHashMap<>();
  private final List<String> violations = new ArrayList<>();

  LedgerMediaPlane(Loop loop, Random random) {
    this.loop = loop;
    this.random = random;
  }

  @Override
  public Optional<NodeId> place(MediaNeed need) {
    return full ? Optional.empty() : Optional.of(NODE);
  }

  @Override
  public void apply(NodeId node, SessionSpec spec, Consumer<MediaAnswer> answer) {
    later(() -> answer.accept(apply(spec)));
  }

  private MediaAnswer apply(SessionSpec spec) {
    if (released.containsKey(spec.call())) {
      return new MediaAnswer.Refused(
          MediaAnswer.Refusal.RELEASED, "gone", released.get(spec.call()));
    }
    SessionSpec before = held.get(spec.call());
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
    held.put(spec.call(), spec);
    if (!spec.confirmed()) {
      loop.schedule(UNCONFIRMED, () -> expire(spec));
    }
    int base = bases.computeIfAbsent(spec.call(), key -> nextPort += 64);
    var addresses = new ArrayList<StreamAddresses>();
    for (StreamSpec stream : spec.streams()) {
      int port = base + 4 * stream.index();
      addresses.add(
          new StreamAddresses(
              stream.index(), relay(port), relay(port + 1), relay(port + 2), relay(port + 3)));
    }
    return new MediaAnswer.Held(spec.revision(), addresses, List.of());
  }

  /** What nobody has confirmed since is dropped. */
  private void expire(SessionSpec spec) {
    if (spec.equals(held.get(spec.call()))) {
      held.remove(spec.call());
      released.put(spec.call(), spec.revision());
      listener.accept(new MediaEvent.Expired(spec.call(), spec.revision()));
    }
  }

  private static Endpoint relay(int port) {
    return Endpoint.of("198.51.100.2", 1 + port % 65_000);
  }

  @Override
  public void release(NodeId node, CallKey call, long revision, Consumer<MediaAnswer> answer) {
    later(
        () -> {
          held.remove(call);
          released.put(call, revision);
          var none = new StreamCounts.Direction(0, 0, 0, 0);
          answer.accept(
              new MediaAnswer.Held(revision, List.of(), List.of(new StreamCounts(0, none, none))));
        });
  }

  @Override
  public void onEvent(Consumer<MediaEvent> events) {
    listener = events;
  }

  /** Says that the call has been silent for too long, if it is to say so at all. */
  void timeOut(CallKey call) {
    SessionSpec spec = held.get(call);
    if (spec != null && !spec.mediaTimeout().isZero()) {
      listener.accept(new MediaEvent.MediaTimeout(call, spec.revision()));
    }
  }

  /** Forgets a session, as a node does that starts anew. */
  void lose(CallKey call) {
    if (held.remove(call) != null) {
      listener.accept(new MediaEvent.SessionLost(call));
    }
  }

  /** Refuses the next new session. */
  void refuseNext() {
    refusesNext = true;
  }

  List<CallKey> sessions() {
    return List.copyOf(held.keySet());
  }

  List<String> violations() {
    return violations;
  }

  private void later(Runnable task) {
    loop.schedule(Duration.ofMillis(1 + random.nextInt(5)), task);
  }
}
