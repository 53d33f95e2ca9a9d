package io.sippbx.control.sip.transport;

import java.time.Instant;

/**
 * Sees every message as it goes over the wire, malformed ones too; keep-alives not. Called on the
 * event loop that reads or writes, so it must hand the octets on and return.
 */
public interface MessageTracer {

  /** Octets that came in; they are the tracer's own copy. */
  void received(byte[] octets, Flow flow, Instant at);

  /** Octets that are given to the socket; they are the tracer's own copy. */
  void sent(byte[] octets, Flow flow, Instant at);
}
