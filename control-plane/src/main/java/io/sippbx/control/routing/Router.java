package io.sippbx.control.routing;

import io.sippbx.control.call.Target;
import io.sippbx.control.sip.message.SipRequest;
import java.util.List;
import java.util.function.Consumer;

/** Decides who an INVITE calls. */
public interface Router {

  /** Asks; the answer comes exactly once, as a task of the router's loop, never inline. */
  void route(SipRequest invite, Consumer<Route> answer);

  /** The answer. */
  sealed interface Route {

    /**
     * Whom to call.
     *
     * @param groups in the order in which they are tried; the targets of a group are called at the
     *     same time; empty: nobody is there
     */
    record Found(List<List<Target>> groups) implements Route {
      /** Copies {@code groups}. */
      public Found {
        groups = List.copyOf(groups);
      }
    }

    /**
     * It is not called from here.
     *
     * @param status to be answered
     */
    record Refused(int status) implements Route {}

    /** The store does not answer. */
    record Unavailable(String detail) implements Route {}
  }
}
