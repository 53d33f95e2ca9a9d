package io.sippbx.control.sip.locate;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.message.Uri;
import java.util.function.Consumer;

/** Finds where to send a request for a URI: the next hop's, which is a Route or the target. */
public interface Locator {

  /**
   * Answers once, by a task on {@code home} and never inline, within the limit of time that is
   * configured. May be called from any thread.
   */
  void locate(Uri nextHop, Loop home, Consumer<Location> answer);
}
