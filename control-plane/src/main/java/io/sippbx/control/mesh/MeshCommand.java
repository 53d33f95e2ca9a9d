package io.sippbx.control.mesh;

import io.sippbx.shared.identity.CallKey;

/** What an administrator who has asked one node wants of another. */
public sealed interface MeshCommand {

  /** Ends a call that the other node has in hand. Doing so twice changes nothing. */
  record HangUp(CallKey call) implements MeshCommand {}

  /** Takes no new calls, or takes them again. Doing so twice changes nothing. */
  record Drain(boolean drain) implements MeshCommand {}
}
