package io.sippbx.simulation;

import io.sippbx.control.store.OutboxEvent;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The events of a call are numbered without a gap, begin with its start and end with its one end.
 */
final class OneEnd extends Invariant {

  private final Map<CallKey, Told> calls = new TreeMap<>();

  private static final class Told {
    private long seq;
    private boolean ended;
    private Optional<String> endArrived = Optional.empty();

    /** By their numbers. */
    private final List<String> events = new ArrayList<>();
  }

  OneEnd(View view) {
    super(view);
  }

  @Override
  String says() {
    return "exactly one end event a call";
  }

  @Override
  void happened(CallKey call, CallEvent event) {
    if (event.hasStarted() && view().wasForgotten(call)) {
      calls.remove(call);
    }
    Told told = calls.computeIfAbsent(call, key -> new Told());
    while (told.seq >= event.getSeq() && view().isForgotten(told.events.getLast())) {
      told.events.removeLast();
      told.seq--;
      told.ended = false;
    }
    if (event.getSeq() != told.seq + 1) {
      violated("event " + event.getSeq() + " of " + call + " comes after " + told.seq);
    }
    if (event.hasStarted() != (event.getSeq() == 1)) {
      violated("event " + event.getSeq() + " of " + call + " is its start, or should be");
    }
    if (told.ended) {
      violated("event " + event.getSeq() + " of " + call + " comes after its end");
    }
    told.seq = event.getSeq();
    told.ended = event.hasEnded();
    told.events.add(event.getEventId());
  }

  @Override
  void arrived(OutboxEvent event) {
    if (event instanceof OutboxEvent.OfCall(CallEvent ofCall) && ofCall.hasEnded()) {
      CallKey.prefixOf(ofCall.getCallKey()).ifPresent(call -> endArrived(call, event.id()));
    }
  }

  private void endArrived(CallKey call, String id) {
    Told told = calls.computeIfAbsent(call, key -> new Told());
    Optional<String> other = told.endArrived.filter(before -> !before.equals(id));
    if (other.filter(before -> !view().isForgotten(before)).isPresent()
        && !view().isForgotten(id)) {
      violated(call + " has the ends " + other.get() + " and " + id);
    }
    if (!view().isForgotten(id)) {
      told.endArrived = Optional.of(id);
    }
  }

  @Override
  void atRest() {
    calls.forEach(
        (call, told) -> {
          if (view().isForgotten(call)) {
            return;
          }
          if (!told.ended) {
            violated(call + " has " + told.seq + " events and no end");
          } else if (told.endArrived.isEmpty()) {
            violated("the end of " + call + " has not arrived");
          }
        });
  }
}
