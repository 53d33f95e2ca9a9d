package io.sippbx.control.call;

import io.sippbx.control.event.CallHappening;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What an input does to a call.
 *
 * @param call the new state; empty: the record is removed, or there was and will be none
 * @param commit whether the state must be in the store before the effects run
 * @param beside effects that may run while the commit is under way: they can be undone by expiry
 * @param effects what is to be done after the commit, in order
 * @param happenings what is committed with the state, whenever that is, for the world to know
 */
public record Decision(
    Optional<Call> call,
    Commit commit,
    List<Effect> beside,
    List<Effect> effects,
    List<CallHappening> happenings) {

  /** When the new state reaches the store. */
  public enum Commit {
    /** Now, before the effects. */
    NOW,
    /** With the next commit: what is lost with the node is done again from what peers repeat. */
    LATER,
    /** Nothing changed. */
    NONE
  }

  /** Copies the lists. */
  public Decision {
    beside = List.copyOf(beside);
    effects = List.copyOf(effects);
    happenings = List.copyOf(happenings);
  }

  /** What is known of a call is written down, and nothing is done. */
  static Decision settling(Call known) {
    return new Decision(
        Optional.of(known.withoutTimer(TimerId.of(TimerId.Kind.SETTLE))),
        Commit.NOW,
        List.of(),
        List.of(),
        List.of());
  }

  /** The same, with what has happened before. */
  Decision after(List<CallHappening> before) {
    return before.isEmpty()
        ? this
        : new Decision(call, commit, beside, effects, concat(before, happenings));
  }

  /**
   * Both as one, whose state was in no store between them. A state that was to be in the store
   * before the effects of either, is so before all.
   *
   * @param next what was decided on the state of this one
   */
  Decision then(Decision next) {
    return new Decision(
        next.call(),
        commit.compareTo(next.commit()) <= 0 ? commit : next.commit(),
        concat(beside, next.beside()),
        concat(effects, next.effects()),
        concat(happenings, next.happenings()));
  }

  private static <T> List<T> concat(List<T> one, List<T> other) {
    if (one.isEmpty() || other.isEmpty()) {
      return one.isEmpty() ? other : one;
    }
    var both = new ArrayList<T>(one.size() + other.size());
    both.addAll(one);
    both.addAll(other);
    return both;
  }
}
