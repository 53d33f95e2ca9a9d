package io.sippbx.control.admin;

import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Member;
import java.util.Optional;
import java.util.function.Consumer;

/** What can be done to a call, wherever it is. */
public interface CallCommands {

  /**
   * Ends a call for the administrator's sake. Any thread; returns at once.
   *
   * @param owner who has it in hand, as its record says
   * @param answer is called once, on any thread, within the time-out of the ways to other nodes
   */
  void hangUp(CallKey call, Optional<Member> owner, Consumer<Answer> answer);

  /** What became of a command. */
  sealed interface Answer {
    /** Who has the call was told. */
    record Told() implements Answer {}

    /** There is no such call any more. */
    record Absent() implements Answer {}

    /** Who has the call could not be told. */
    record Unavailable(String detail) implements Answer {}
  }
}
