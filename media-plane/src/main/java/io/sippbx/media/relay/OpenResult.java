package io.sippbx.media.relay;

import io.sippbx.shared.net.Endpoint;
import java.util.List;

/** The answer to {@link Relay#open} and {@link Relay#rebind}. */
public sealed interface OpenResult {

  /**
   * The sockets are bound and the plan is followed.
   *
   * @param ports as asked for, with the actual ports where port 0 was
   */
  record Opened(List<StreamPorts> ports) implements OpenResult {

    /** Copies {@code ports}. */
    public Opened {
      ports = List.copyOf(ports);
    }
  }

  /**
   * A socket could not be bound, and none is.
   *
   * @param endpoint the first one that could not be bound
   * @param errno of the system call; 0 where the adapter does not tell
   * @param detail for a log line
   */
  record BindFailed(Endpoint endpoint, BindFailure failure, int errno, String detail)
      implements OpenResult {}

  /** Nothing was tried. */
  record Refused(Refusal refusal) implements OpenResult {}

  /** Why a socket cannot be bound. */
  enum BindFailure {
    ADDRESS_IN_USE,
    /** The address is none of this host's. */
    ADDRESS_NOT_AVAILABLE,
    NOT_PERMITTED,
    TOO_MANY_OPEN_FILES,
    OTHER
  }

  /** Why nothing was tried. */
  enum Refusal {
    /** The limit of sessions of the relay. */
    TOO_MANY_SESSIONS,
    /** The session or the relay was closed before its turn came. */
    CLOSED
  }
}
