package io.sippbx.control.admin;

import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Member;
import java.util.Optional;
import java.util.function.Consumer;

/** Does to calls what this node may: those that it has in hand, and those that nobody has. */
public final class OwnCallCommands implements CallCommands {

  private final Member self;
  private final Consumer<CallKey> hangUp;

  /**
   * @param hangUp ends a call on this node; any thread, returns at once
   */
  public OwnCallCommands(Member self, Consumer<CallKey> hangUp) {
    this.self = self;
    this.hangUp = hangUp;
  }

  @Override
  public void hangUp(CallKey call, Optional<Member> owner, Consumer<Answer> answer) {
    if (owner.isPresent() && !owner.get().equals(self)) {
      answer.accept(
          new Answer.Unavailable(
              "control node " + owner.get().node() + " has it in hand just now: ask that one"));
      return;
    }
    hangUp.accept(call);
    answer.accept(new Answer.Told());
  }
}
