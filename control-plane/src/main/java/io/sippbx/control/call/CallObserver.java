package io.sippbx.control.call;

import io.sippbx.control.event.CallHappening;
import io.sippbx.shared.identity.CallKey;

/** Who is told what the runtime does, for logs and metrics. Called on the call's loop. */
public interface CallObserver {

  /** Something about the call has been committed. */
  void happened(CallKey call, CallHappening happening);

  /** A decision or its effects threw: a defect of ours. The call is ended; the node lives. */
  void defect(CallKey call, String where, RuntimeException defect);

  /** An input was dropped. */
  void dropped(CallKey call, Drop why);

  /** Why an input was dropped. */
  enum Drop {
    /** The call's mailbox was full. */
    MAILBOX_FULL,
    /** The store did not answer, however often it was asked. */
    STORE_UNAVAILABLE,
    /** Too many events wait for who consumes them. */
    OUTBOX_FULL,
    /** Others committed faster, again and again. */
    CONTENDED
  }
}
