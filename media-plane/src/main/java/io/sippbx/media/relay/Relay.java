package io.sippbx.media.relay;

import io.sippbx.shared.identity.CallKey;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Relays the RTP and RTCP of many sessions.
 *
 * <p>Every method may be called from any thread and returns at once; what it asks for happens on
 * the worker that owns the session, in the order of the calls for that session, and is answered
 * there exactly once: a consumer must not block. What is refused without a worker having to look is
 * answered on the calling thread, before the method returns. A consumer that throws is counted.
 */
public interface Relay extends AutoCloseable {

  /**
   * Binds the sockets of a session and starts to relay by its plan. All or nothing: when one socket
   * cannot be bound, none stays.
   *
   * @param ports where to bind, a member for each stream; port 0 binds a free port, and the answer
   *     tells which
   * @throws IllegalStateException if the session is open already
   */
  void open(
      CallKey session, List<StreamPorts> ports, SessionPlan plan, Consumer<OpenResult> answer);

  /**
   * Makes an open session hold exactly these streams, and follows {@code plan} from then on: binds
   * what is new, and closes what is not listed any more; when it is answered, those ports are free.
   * All or nothing: when it fails the session is as before, plan included.
   *
   * <p>Nothing happens to what stays. An end whose endpoints are as before keeps its sockets, its
   * latch and its statistics; one that gets others is latched anew and counts on. A stream that
   * gets others at both ends is a new one.
   *
   * @param ports of all streams of the session from then on, in the order of the answer
   * @throws IllegalStateException if an earlier {@code open} or {@code rebind} of the session has
   *     not been answered
   */
  void rebind(
      CallKey session, List<StreamPorts> ports, SessionPlan plan, Consumer<OpenResult> answer);

  /**
   * Follows another plan. A stream that the plan leaves out keeps its sockets, relays nothing and
   * owes nothing. Of plans that wait for the worker, the last one wins.
   *
   * @return false if the session is not open: nothing was done
   */
  boolean update(CallKey session, SessionPlan plan);

  /**
   * Closes the session's sockets; when it is answered, the ports are free. The answer has the final
   * counts, without streams if the session was not open. An {@code open} that is under way is
   * answered first.
   */
  void close(CallKey session, Consumer<SessionCounts> lastCounts);

  /** The counts of a session, read beside the path; empty if it is not open. */
  Optional<SessionCounts> counts(CallKey session);

  /** The counts of all sessions together, ended ones included. */
  RelayCounts counts();

  /** Sessions that are open now, or being opened or closed. */
  int sessions();

  /** {@code ffm}, {@code netty-epoll} or {@code netty-nio}. */
  String adapter();

  /** Closes all sessions and ends the workers; what waits is answered. Waits for that. */
  @Override
  void close();
}
