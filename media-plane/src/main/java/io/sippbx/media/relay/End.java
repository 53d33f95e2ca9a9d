package io.sippbx.media.relay;

/** One of the two ends of a stream. */
public enum End {
  /** The caller's side. */
  A,
  /** The callee's side. */
  B;

  /** The end on the other side of the relay. */
  public End other() {
    return this == A ? B : A;
  }
}
