package io.sippbx.simulation;

import io.sippbx.control.store.OutboxEvent;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Every event that was committed arrives at least once, as it was committed, and nothing else does:
 * for each call the numbers are dense from 1, and what comes again is the same.
 */
final class EventsArrive extends Invariant {

  private final Map<String, OutboxEvent> committed = new LinkedHashMap<>();
  private final Set<String> arrived = new LinkedHashSet<>();
  private final Map<CallKey, TreeMap<Integer, String>> numbered = new TreeMap<>();

  EventsArrive(View view) {
    super(view);
  }

  @Override
  String says() {
    return "every committed event arrives as it was committed";
  }

  @Override
  void told(OutboxEvent event) {
    committed.put(event.id(), event);
  }

  @Override
  void arrived(OutboxEvent event) {
    OutboxEvent meant = committed.get(event.id());
    if (meant == null) {
      violated("event " + event.id() + " arrives, which nobody has committed");
    } else if (!meant.equals(event)) {
      violated("event " + event.id() + " arrives as " + event + " in place of " + meant);
    }
    arrived.add(event.id());
    if (event instanceof OutboxEvent.OfCall(CallEvent ofCall)) {
      Optional<CallKey> call = CallKey.prefixOf(ofCall.getCallKey());
      call.ifPresent(key -> number(key, ofCall));
    }
  }

  private void number(CallKey call, CallEvent event) {
    String before =
        numbered
            .computeIfAbsent(call, key -> new TreeMap<>())
            .putIfAbsent(event.getSeq(), event.getEventId());
    if (before != null
        && !before.equals(event.getEventId())
        && !view().isForgotten(before)
        && !view().isForgotten(event.getEventId())
        && !view().wasForgotten(call)) {
      violated(
          "event "
              + event.getSeq()
              + " of "
              + call
              + " is "
              + before
              + " and "
              + event.getEventId());
    }
  }

  /** Whether it, or all of its call, is remembered by nobody. */
  private boolean isForgotten(String id) {
    return view().isForgotten(id)
        || committed.get(id) instanceof OutboxEvent.OfCall(CallEvent event)
            && CallKey.prefixOf(event.getCallKey()).filter(view()::wasForgotten).isPresent();
  }

  @Override
  void atRest() {
    for (String id : committed.keySet()) {
      if (!arrived.contains(id) && !isForgotten(id)) {
        violated("event " + id + " was committed and has never arrived");
      }
    }
    numbered.forEach(
        (call, events) -> {
          if (!view().wasForgotten(call) && events.lastKey() != events.size()) {
            violated("of " + call + " arrived events " + events.keySet());
          }
        });
  }
}
