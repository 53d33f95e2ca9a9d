package io.sippbx.control.call;

import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallIndex;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Where the record of a call is to be found in the store, and how long it lives there. */
final class CallPlaces {

  /**
   * What a tombstone that somebody owns lives longer than its timer says: its owner takes it out,
   * and out of the list of what is in flight there, which nobody reads while the owner lives.
   */
  private static final Duration OWNED_LONGER = Duration.ofMinutes(1);

  private CallPlaces() {}

  /**
   * The call's places once it is as it is: owned by this node while anything of it is open, and
   * after a refusal for as long as that may have to be said again; on its media node from before
   * the first Apply to the end of the Release, with those that it has left and that may still hold
   * it, and its timers where no node has them in memory.
   */
  static CallIndex index(Call call, Member self) {
    if (call.isTombstone()) {
      return repeatsRefusal(call)
          ? new CallIndex(Optional.of(self), List.of(), new TreeMap<>())
          : CallIndex.NONE;
    }
    MediaPart media = call.media();
    var onMedia = new ArrayList<NodeId>(media.former());
    if (media.released() != MediaPart.Released.DONE) {
      media.node().ifPresent(onMedia::add);
    }
    if (!call.isQuiescent()) {
      return new CallIndex(Optional.of(self), onMedia, new TreeMap<>());
    }
    SortedMap<String, Instant> timers = new TreeMap<>();
    for (Map.Entry<TimerId, Instant> each : call.timers().entrySet()) {
      timers.put(each.getKey().name(), each.getValue());
    }
    return new CallIndex(Optional.empty(), onMedia, timers);
  }

  /**
   * A caller that has heard something provisional repeats nothing: its refusal is said again and
   * again until its ACK, if need be by the next owner. With the ACK nobody is needed any more.
   */
  private static boolean repeatsRefusal(Call call) {
    return call.caller().state() == IncomingInvite.State.REJECTED;
  }

  /** How long the record lives without a further commit: a tombstone ends by itself. */
  static Duration keep(Call call, Instant now) {
    Instant end = call.timers().get(TimerId.of(TimerId.Kind.TOMBSTONE));
    if (!call.isTombstone() || end == null) {
      return CallCommit.LAST_RESORT;
    }
    Duration left = Duration.between(now, end);
    if (repeatsRefusal(call)) {
      return left.isNegative() ? OWNED_LONGER : left.plus(OWNED_LONGER);
    }
    return left.toMillis() < 1 ? Duration.ofMillis(1) : left;
  }
}
