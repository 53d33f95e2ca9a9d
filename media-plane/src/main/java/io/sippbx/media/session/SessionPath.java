package io.sippbx.media.session;

import io.sippbx.media.relay.OpenResult;
import io.sippbx.media.relay.SessionCounts;
import io.sippbx.media.relay.SessionPlan;
import io.sippbx.media.relay.StreamPorts;
import io.sippbx.shared.identity.CallKey;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What sessions need of the relay. Each method returns at once; answers come exactly once, on any
 * thread. A session has at most one {@code open}, {@code rebind} or {@code close} under way.
 */
public interface SessionPath {

  /** Binds the sockets of a session, all or none, and starts to relay by its plan. */
  void open(
      CallKey session, List<StreamPorts> ports, SessionPlan plan, Consumer<OpenResult> answer);

  /**
   * Makes an open session hold exactly these sockets, all or nothing, and follows the plan from
   * then on. An end whose endpoints are as before keeps its sockets, its latch and its counts, and
   * loses no packet; those that are not listed any more are closed before it is answered. Refused
   * as closed if the session is not open.
   */
  void rebind(
      CallKey session, List<StreamPorts> ports, SessionPlan plan, Consumer<OpenResult> answer);

  /**
   * Follows another plan on the same sockets.
   *
   * @return false if the session is not open
   */
  boolean update(CallKey session, SessionPlan plan);

  /** Closes the session's sockets: they are free when it is answered. */
  void close(CallKey session, Consumer<SessionCounts> lastCounts);

  /** The counts of a session, empty if it is not open. */
  Optional<SessionCounts> counts(CallKey session);
}
