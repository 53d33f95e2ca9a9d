package io.sippbx.control.store;

import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Where a call is to be found other than by its key, as a whole: a commit says what holds after it,
 * and the store works out what that changes.
 *
 * @param owner the start of a control node that has transactions of it open; it is found by the
 *     node, and read with the record
 * @param onMedia the media nodes that may hold a session of it; sorted, each once
 * @param timers its long timers by name, in store time to the millisecond
 * @param listed whether it is one of the calls that there are, for who lists them
 */
public record CallIndex(
    Optional<Member> owner,
    List<NodeId> onMedia,
    SortedMap<String, Instant> timers,
    boolean listed) {

  /** To be found by its key only: a tombstone. */
  public static final CallIndex NONE =
      new CallIndex(Optional.empty(), List.of(), new TreeMap<>(), false);

  /** Media nodes of one call at most: where it is, where it goes, and where it was. */
  public static final int MAX_MEDIA = 8;

  /** Long timers of one call at most. */
  public static final int MAX_TIMERS = 64;

  private static final Pattern TIMER_NAME = Pattern.compile("[A-Za-z0-9._-]{1,48}");

  /** Where a call is that has not ended. */
  public CallIndex(
      Optional<Member> owner, List<NodeId> onMedia, SortedMap<String, Instant> timers) {
    this(owner, onMedia, timers, true);
  }

  /** Copies and checks. */
  public CallIndex {
    onMedia =
        onMedia.size() < 2 ? List.copyOf(onMedia) : onMedia.stream().sorted().distinct().toList();
    if (onMedia.size() > MAX_MEDIA) {
      throw new IllegalArgumentException(
          "Expected " + MAX_MEDIA + " media nodes or fewer, but got " + onMedia.size());
    }
    if (timers.size() > MAX_TIMERS) {
      throw new IllegalArgumentException(
          "Expected " + MAX_TIMERS + " timers or fewer, but got " + timers.size());
    }
    var cut = new TreeMap<String, Instant>();
    for (Map.Entry<String, Instant> each : timers.entrySet()) {
      if (!TIMER_NAME.matcher(each.getKey()).matches()) {
        throw new IllegalArgumentException(
            "Expected 1 to 48 letters, digits, dots, hyphens and underscores as a timer's name,"
                + " but got "
                + each.getKey());
      }
      cut.put(each.getKey(), Instant.ofEpochMilli(each.getValue().toEpochMilli()));
    }
    timers = Collections.unmodifiableSortedMap(cut);
  }
}
