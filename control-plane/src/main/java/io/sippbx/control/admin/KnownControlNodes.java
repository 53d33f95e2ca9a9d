package io.sippbx.control.admin;

import io.sippbx.control.cluster.Beat;
import io.sippbx.control.cluster.Census;
import io.sippbx.control.cluster.ClusterStore;
import io.sippbx.control.mesh.MeshCommand;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** The control nodes as the store knows them, and this one as it is. */
public final class KnownControlNodes implements ControlNodes {

  private static final Comparator<Seen> BY_NAME =
      Comparator.comparing(each -> each.member().toString());

  private final Member self;
  private final Optional<ClusterStore> store;
  private final BooleanSupplier isDraining;
  private final Consumer<Boolean> drainSelf;
  private final OtherNodes others;

  /**
   * @param store empty: this node is alone
   * @param isDraining whether this node takes no new calls
   * @param drainSelf lets this node take none, or take them again; any thread
   */
  public KnownControlNodes(
      Member self,
      Optional<ClusterStore> store,
      BooleanSupplier isDraining,
      Consumer<Boolean> drainSelf,
      OtherNodes others) {
    this.self = self;
    this.store = store;
    this.isDraining = isDraining;
    this.drainSelf = drainSelf;
    this.others = others;
  }

  @Override
  public Member self() {
    return self;
  }

  private Seen seenSelf() {
    return new Seen(self, isDraining.getAsBoolean() ? State.DRAINING : State.UP);
  }

  @Override
  public void list(Consumer<Answer> answer) {
    if (store.isEmpty()) {
      answer.accept(new Answer.Members(List.of(seenSelf())));
      return;
    }
    store
        .get()
        .census(
            said -> {
              switch (said) {
                case ClusterStore.Answer.Found<Census>(Census census) ->
                    answer.accept(new Answer.Members(members(census)));
                case ClusterStore.Answer.Unavailable<Census>(String detail) ->
                    answer.accept(new Answer.Unavailable(detail));
              }
            });
  }

  private List<Seen> members(Census census) {
    var members = new ArrayList<Seen>();
    members.add(seenSelf());
    for (Beat beat : census.beating()) {
      if (!beat.member().equals(self)) {
        members.add(new Seen(beat.member(), beat.leaving() ? State.DRAINING : State.UP));
      }
    }
    census.lapsed().stream()
        .filter(member -> !member.equals(self))
        .forEach(member -> members.add(new Seen(member, State.LAPSED)));
    census.left().forEach(member -> members.add(new Seen(member, State.LEFT)));
    members.sort(BY_NAME);
    return members;
  }

  @Override
  public void drain(NodeId node, boolean drain, Consumer<Drained> answer) {
    if (node.equals(self.node())) {
      drainSelf.accept(drain);
      answer.accept(new Drained.Done(seenSelf()));
      return;
    }
    list(
        known -> {
          switch (known) {
            case Answer.Members(List<Seen> members) ->
                members.stream()
                    .filter(
                        each ->
                            each.member().node().equals(node)
                                && (each.state() == State.UP || each.state() == State.DRAINING))
                    .findFirst()
                    .ifPresentOrElse(
                        living -> drain(living.member(), drain, answer),
                        () -> answer.accept(new Drained.Unknown()));
            case Answer.Unavailable(String detail) ->
                answer.accept(new Drained.Unavailable(detail));
          }
        });
  }

  private void drain(Member other, boolean drain, Consumer<Drained> answer) {
    others.tell(
        other,
        new MeshCommand.Drain(drain),
        delivery ->
            answer.accept(
                switch (delivery) {
                  case DELIVERED ->
                      new Drained.Done(new Seen(other, drain ? State.DRAINING : State.UP));
                  case FAILED ->
                      new Drained.Unreachable(
                          "it was not reached by the mesh, or it ends just now");
                }));
  }
}
