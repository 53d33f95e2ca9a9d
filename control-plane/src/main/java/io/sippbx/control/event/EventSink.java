package io.sippbx.control.event;

import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.proto.event.v1.CallEvent;
import java.util.List;

/**
 * Where committed events go. Events of one call are given in the order of their seq; the same event
 * may be given again and has the same id then.
 */
public interface EventSink {

  /**
   * Takes events that were committed. Called on the call's loop: returns at once and keeps what it
   * cannot pass on yet within a bound of its own.
   */
  void publish(List<CallEvent> events);

  /**
   * Events of this address-of-record were committed. Called on any loop: returns at once. Who only
   * hears of calls need not listen.
   */
  default void committed(Aor aor) {}
}
