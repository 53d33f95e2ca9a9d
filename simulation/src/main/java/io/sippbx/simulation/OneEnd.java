package io.sippbx.simulation;

import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import java.util.Map;
import java.util.TreeMap;

/**
 * The events of a call are numbered without a gap, begin with its start and end with its one end.
 */
final class OneEnd extends Invariant {

  private final Map<CallKey, Told> calls = new TreeMap<>();

  private static final class Told {
    private long seq;
    private boolean ended;
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
    Told told = calls.computeIfAbsent(call, key -> new Told());
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
  }

  @Override
  void atRest() {
    calls.forEach(
        (call, told) -> {
          if (!told.ended) {
            violated(call + " has " + told.seq + " events and no end");
          }
        });
  }
}
