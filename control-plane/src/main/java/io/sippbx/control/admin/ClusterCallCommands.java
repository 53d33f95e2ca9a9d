package io.sippbx.control.admin;

import io.sippbx.control.mesh.Mesh;
import io.sippbx.control.mesh.MeshCommand;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Member;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Does to calls what is asked for: itself where this node has the call in hand or nobody has, and
 * by way of the mesh where another has it.
 */
public final class ClusterCallCommands implements CallCommands {

  private final Member self;
  private final Consumer<CallKey> hangUp;
  private final OtherNodes others;

  /**
   * @param hangUp ends a call on this node; any thread, returns at once
   */
  public ClusterCallCommands(Member self, Consumer<CallKey> hangUp, OtherNodes others) {
    this.self = self;
    this.hangUp = hangUp;
    this.others = others;
  }

  @Override
  public void hangUp(CallKey call, Optional<Member> owner, Consumer<Answer> answer) {
    Optional<Member> other = owner.filter(member -> !member.equals(self));
    if (other.isEmpty()) {
      hangUp.accept(call);
      answer.accept(new Answer.Told());
      return;
    }
    others.tell(
        other.get(),
        new MeshCommand.HangUp(call),
        delivery -> answer.accept(answer(delivery, other.get())));
  }

  private static Answer answer(Mesh.Delivery delivery, Member owner) {
    return switch (delivery) {
      case DELIVERED -> new Answer.Told();
      case FAILED ->
          new Answer.Unavailable(
              "control node "
                  + owner.node()
                  + " has it in hand just now and was not reached: try again, when it answers or"
                  + " another has taken the call over");
    };
  }
}
