package io.sippbx.simulation;

import io.sippbx.control.call.Call;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.store.CallCommit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A call that both phones believe in, and want, is up: nobody ends it but they. */
final class BelievedCallsAreUp extends Invariant {

  /** Where no media node is left that could have it. */
  private static final List<Reason> LOST = List.of(Reason.NO_MEDIA, Reason.MEDIA_LOST);

  private final Map<Integer, boolean[]> believed = new LinkedHashMap<>();

  BelievedCallsAreUp(View view) {
    super(view);
  }

  @Override
  String says() {
    return "a call that both phones believe in is up";
  }

  @Override
  void up(int call, boolean caller) {
    believed.computeIfAbsent(call, key -> new boolean[2])[caller ? 0 : 1] = true;
  }

  @Override
  void over(int call, boolean caller) {
    believed.computeIfAbsent(call, key -> new boolean[2])[caller ? 0 : 1] = false;
  }

  @Override
  void committed(CallCommit<Call> commit) {
    Optional<PlannedCall> plan = view().plan(commit.call());
    if (plan.isEmpty() || !plan.get().kind().isUpheld()) {
      return;
    }
    boolean[] sides = believed.get(plan.get().number());
    boolean lost =
        commit
            .record()
            .flatMap(Call::termination)
            .filter(end -> LOST.contains(end.reason()))
            .isPresent();
    if (lost && isStruck(Fault.Kind::isOfMedia) || view().wasSetBack(commit.call())) {
      return;
    }
    boolean gone = commit.record().isEmpty() || commit.record().get().termination().isPresent();
    if (gone && sides != null && sides[0] && sides[1]) {
      violated(
          "call "
              + plan.get().number()
              + " is ended as "
              + commit.record().flatMap(Call::termination).map(Object::toString).orElse("gone")
              + " while both phones believe in it");
    }
  }
}
