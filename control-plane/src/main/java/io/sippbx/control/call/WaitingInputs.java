package io.sippbx.control.call;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** What waits for one call, in order, within a bound. Lives on the call's loop. */
final class WaitingInputs {

  private final int limit;
  private final Deque<Waiting> inputs = new ArrayDeque<>();

  WaitingInputs(int limit) {
    this.limit = limit;
  }

  /**
   * Puts it last.
   *
   * @return false where there is no room
   */
  boolean add(Waiting input) {
    return inputs.size() < limit && inputs.add(input);
  }

  /** Puts it first, beyond the bound if need be: the call itself has brought it about. */
  void addFirst(Waiting input) {
    inputs.addFirst(input);
  }

  /** The same, but after those at the head that a peer has been answered already. */
  void addAfterOwed(Waiting input) {
    var owed = new ArrayDeque<Waiting>();
    while (first().filter(Waiting::isOwed).isPresent()) {
      owed.push(inputs.remove());
    }
    inputs.addFirst(input);
    owed.forEach(inputs::addFirst);
  }

  boolean isEmpty() {
    return inputs.isEmpty();
  }

  int size() {
    return inputs.size();
  }

  Waiting next() {
    return inputs.remove();
  }

  Optional<Waiting> first() {
    return Optional.ofNullable(inputs.peekFirst());
  }

  /** The first that asks for no more than an end. */
  Optional<Waiting> firstEnd() {
    return inputs.stream().filter(Waiting::onlyEnds).findFirst();
  }

  /** Takes it out, if it waits. */
  void remove(Waiting input) {
    inputs.remove(input);
  }

  /** Takes out what may be refused and has come at {@code oldestNs} or before. */
  List<Waiting> takeRefusable(long oldestNs) {
    var taken = new ArrayList<Waiting>();
    inputs.removeIf(
        each -> each.mayBeRefused() && each.sinceNs() - oldestNs <= 0 && taken.add(each));
    return taken;
  }

  /** Takes all out. */
  List<Waiting> takeAll() {
    List<Waiting> taken = List.copyOf(inputs);
    inputs.clear();
    return taken;
  }
}
