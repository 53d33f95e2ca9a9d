package io.sippbx.control.sip.transport;

/**
 * Why a message was not sent. No failure says that it was received: over UDP nothing does, and a
 * connection may break after the last byte was written.
 *
 * @param reason from a closed list, fit for a metric label
 * @param detail for a log line: the address, and what the system said
 */
public record SendFailure(Reason reason, String detail) {

  /** What went wrong. */
  public enum Reason {
    /** No listener of that transport and address family; or the transport is not supported yet. */
    NO_LISTENER,
    /** The connection was refused, or the host or network cannot be reached. */
    UNREACHABLE,
    /** No answer to the connection attempt within the limit. */
    CONNECT_TIMEOUT,
    /** The connection broke, or was closed, before the message was written. */
    CONNECTION_LOST,
    /** More is waiting to be sent there than the limit allows. */
    QUEUE_FULL,
    /** Our own limit of connections is reached, so none was opened. */
    CONNECTION_LIMIT,
    /** The message is larger than the transport can carry. */
    TOO_LARGE,
    /** The transport is shut down. */
    CLOSED
  }
}
