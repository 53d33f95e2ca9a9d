package io.sippbx.media.session;

import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;

/** One start of a control node. */
public record ControlNode(NodeId id, Incarnation incarnation) {

  @Override
  public String toString() {
    return id + "/" + incarnation;
  }
}
