package io.sippbx.control.media;

import io.sippbx.shared.identity.NodeId;
import java.util.function.Consumer;

/** Another control node that is asked whether it hears a media node which this one does not. */
@FunctionalInterface
public interface MediaWitness {

  /** There is no other control node. */
  MediaWitness NONE = (node, told) -> told.accept(Testimony.NOBODY);

  /**
   * Asks. Called on the media plane's loop; returns at once.
   *
   * @param told is called once, on any thread, within some hundred milliseconds: what comes later
   *     is of no account
   */
  void ask(NodeId node, Consumer<Testimony> told);

  /** What the other says. */
  enum Testimony {
    /** It hears the node: the way from here is broken, and the media flows. */
    HEARD,
    /** It does not hear it either. */
    SILENT,
    /** Nobody could be asked. */
    NOBODY
  }
}
