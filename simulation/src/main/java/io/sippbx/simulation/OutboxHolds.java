package io.sippbx.simulation;

import io.sippbx.control.call.Call;
import io.sippbx.control.store.CallCommit;
import io.sippbx.proto.event.v1.CallEvent;

/**
 * An outbox holds what it may: at its limit no call begins any more, at twice the limit nothing is
 * told but the end of a call.
 */
final class OutboxHolds extends Invariant {

  OutboxHolds(View view) {
    super(view);
  }

  @Override
  String says() {
    return "an outbox holds no more than it may";
  }

  @Override
  void committed(CallCommit<Call> commit) {
    Outbox outbox = view().outbox(commit.call());
    if (outbox.limit() == 0
        || commit.events().isEmpty()
        || commit.events().stream().anyMatch(CallEvent::hasEnded)) {
      return;
    }
    long most = commit.read().isEmpty() ? outbox.limit() : 2L * outbox.limit();
    if (outbox.events() > most) {
      violated(
          "a commit of "
              + commit.call()
              + " made "
              + outbox.events()
              + " events of at most "
              + most);
    }
  }
}
