package io.sippbx.media.session;

import java.time.Instant;
import java.util.concurrent.Executor;

/**
 * The one thread on which the node's sessions are decided. Tasks run one after the other, in the
 * order in which they were given, never inline.
 */
public interface NodeLoop extends Executor {

  /** Monotonic time in nanoseconds, on the same clock as the relay's. */
  long nowNs();

  /** Wall-clock time. */
  Instant now();
}
