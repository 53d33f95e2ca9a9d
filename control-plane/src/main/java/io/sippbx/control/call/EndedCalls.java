package io.sippbx.control.call;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.RecordCodec;
import io.sippbx.control.store.Versioned;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The tombstones of a loop that nobody owns, as they are written down: most are never asked for
 * again, and as objects each would be some three hundred that the collector copies. No more of them
 * than a limit: of more the oldest is in the store only. Lives on its loop; its timer runs only
 * while there are such calls.
 */
final class EndedCalls {

  private static final Duration TURN = Duration.ofSeconds(1);

  private final Loop loop;
  private final RecordCodec<Call> codec;
  private final int limit;

  /** The one that was put in first is first. */
  private final Map<CallKey, Ended> calls = new LinkedHashMap<>();

  private Loop.@Nullable Timer timer;

  /** A tombstone as it stands in the store, and when its record there is over. */
  private record Ended(long version, CommitId commit, RecordCodec.Encoded octets, Instant until) {}

  EndedCalls(Loop loop, RecordCodec<Call> codec, int limit) {
    this.loop = loop;
    this.codec = codec;
    this.limit = limit;
  }

  /**
   * Keeps a call until the time of its tombstone is over.
   *
   * @param current of a call that has ended, without an owner
   * @return the same record again, for whoever else holds on to it; any thread
   */
  Supplier<Call> put(CallKey call, Versioned<Call> current) {
    RecordCodec.Encoded octets = codec.encode(current.record());
    Instant until =
        current.record().timers().getOrDefault(TimerId.of(TimerId.Kind.TOMBSTONE), loop.now());
    calls.remove(call);
    calls.put(call, new Ended(current.version(), current.commit(), octets, until));
    if (calls.size() > limit) {
      calls.remove(calls.keySet().iterator().next());
    }
    arm();
    return () -> read(octets);
  }

  private Call read(RecordCodec.Encoded octets) {
    if (codec.decode(octets) instanceof RecordCodec.Read<Call>(Call record)) {
      return record;
    }
    throw new IllegalStateException("Expected to read what was just written");
  }

  boolean contains(CallKey call) {
    return find(call) != null;
  }

  /** The call as it was when it ended. */
  Optional<Versioned<Call>> get(CallKey call) {
    Ended found = find(call);
    return found == null
        ? Optional.empty()
        : Optional.of(new Versioned<>(found.version(), found.commit(), read(found.octets())));
  }

  /** The same, and it is none of these any more. */
  Optional<Versioned<Call>> take(CallKey call) {
    Optional<Versioned<Call>> found = get(call);
    calls.remove(call);
    return found;
  }

  private @Nullable Ended find(CallKey call) {
    Ended found = calls.get(call);
    return found == null || isOver(found) ? null : found;
  }

  void clear() {
    calls.clear();
  }

  int size() {
    return calls.size();
  }

  private boolean isOver(Ended ended) {
    return !loop.now().isBefore(ended.until());
  }

  private void arm() {
    if (timer == null && !calls.isEmpty()) {
      timer = loop.schedule(TURN, this::turn);
    }
  }

  private void turn() {
    timer = null;
    // One that was asked for and put back stands behind some that are over later, and waits.
    Iterator<Ended> oldest = calls.values().iterator();
    while (oldest.hasNext() && isOver(oldest.next())) {
      oldest.remove();
    }
    arm();
  }
}
