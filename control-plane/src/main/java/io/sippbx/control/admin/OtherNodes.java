package io.sippbx.control.admin;

import io.sippbx.control.mesh.Mesh;
import io.sippbx.control.mesh.MeshCommand;
import io.sippbx.shared.identity.Member;
import java.util.function.Consumer;

/** The way to the other control nodes. Any thread; returns at once. */
@FunctionalInterface
public interface OtherNodes {

  /** A node that has no others beside it. */
  OtherNodes NONE = (member, command, told) -> told.accept(Mesh.Delivery.FAILED);

  /**
   * Asks one of them for what an administrator wants.
   *
   * @param told is called once, on any thread, within the mesh's time-out
   */
  void tell(Member member, MeshCommand command, Consumer<Mesh.Delivery> told);
}
