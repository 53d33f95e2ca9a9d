package io.sippbx.control.admin;

import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.util.List;
import java.util.function.Consumer;

/** The control nodes, as an administrator sees them. Any thread; methods return at once. */
public interface ControlNodes {

  /** Which start of which node is asked. */
  Member self();

  /**
   * The members that are known.
   *
   * @param answer is called once, on any thread
   */
  void list(Consumer<Answer> answer);

  /**
   * Lets a node take no new calls, or take them again.
   *
   * @param answer is called once, on any thread
   */
  void drain(NodeId node, boolean drain, Consumer<Drained> answer);

  /** How a member is. */
  enum State {
    UP,
    DRAINING,
    LAPSED,
    LEFT
  }

  /** A member. */
  record Seen(Member member, State state) {}

  /** What is known. */
  sealed interface Answer {
    /** The members, in the order of their names. */
    record Members(List<Seen> members) implements Answer {
      /** Copies {@code members}. */
      public Members {
        members = List.copyOf(members);
      }
    }

    /** The store did not say. */
    record Unavailable(String detail) implements Answer {}
  }

  /** What became of draining. */
  sealed interface Drained {
    /** It is as it was asked to be. */
    record Done(Seen node) implements Drained {}

    /** No node of this name lives. */
    record Unknown() implements Drained {}

    /** It lives, and could not be told. */
    record Unreachable(String why) implements Drained {}

    /** The store did not say. */
    record Unavailable(String detail) implements Drained {}
  }
}
