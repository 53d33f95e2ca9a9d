package io.sippbx.control.media;

import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The media nodes, as an administrator sees them. Any thread; methods return at once. An answer is
 * given once, on a thread of the implementation's choosing, within a few seconds.
 */
public interface MediaDirectory {

  /** All that are known, in the order of their names. */
  void nodes(Consumer<List<SeenNode>> answer);

  /** Lets a node take no new sessions, or take them again. */
  void drain(NodeId node, boolean drain, Consumer<NodeAnswer> answer);

  /**
   * A page of the sessions of a node, in the order of their calls.
   *
   * @param after the last of the page before
   * @param limit 1 to 1,000; a page may hold fewer, though there are more
   */
  void sessions(NodeId node, Optional<CallKey> after, int limit, Consumer<SessionsAnswer> answer);

  /** How a node is. */
  enum State {
    RUNNING,
    DRAINING,
    RESTORING,
    /** Not heard for a moment. */
    SUSPECTED,
    /** Not heard for long. */
    LOST
  }

  /**
   * A node.
   *
   * @param incarnation empty: it was never heard
   * @param pairs RTP/RTCP port pairs, of both IP versions
   * @param silentFor since when it was not heard
   */
  record SeenNode(
      NodeId id,
      Optional<Incarnation> incarnation,
      State state,
      long sessions,
      long sessionsLimit,
      long pairs,
      long pairsInUse,
      Duration silentFor) {}

  /**
   * A session that a node holds.
   *
   * @param pairs RTP/RTCP port pairs that are bound for it
   */
  record HeldSession(CallKey call, int pairs) {}

  /** What became of what a node was told. */
  sealed interface NodeAnswer {
    /** It is so. */
    record Done(SeenNode node) implements NodeAnswer {}

    /** There is no such node. */
    record Unknown() implements NodeAnswer {}

    /** It did not answer. */
    record Unreachable(String detail) implements NodeAnswer {}
  }

  /** What a node holds. */
  sealed interface SessionsAnswer {
    /**
     * A page.
     *
     * @param pairsInUse that the node has bound, for all its sessions
     * @param next set when there may be more: what to ask for next
     */
    record Page(List<HeldSession> sessions, long pairsInUse, Optional<CallKey> next)
        implements SessionsAnswer {
      /** Copies {@code sessions}. */
      public Page {
        sessions = List.copyOf(sessions);
      }
    }

    /** It did not answer, or there is no such node. */
    record Unreachable(String detail) implements SessionsAnswer {}
  }
}
