package io.sippbx.event;

import java.time.Duration;

/** How whoever has a thread of its own ends it. */
public final class OwnThread {

  private static final Duration INTERRUPTED_WITHIN = Duration.ofSeconds(1);

  private OwnThread() {}

  /**
   * Waits for a thread that has been told to end; one that takes longer is interrupted, and waited
   * for a second more. Who is interrupted meanwhile waits no longer, and stays interrupted.
   */
  public static void awaitEnd(Thread thread, Duration limit) {
    try {
      if (!thread.join(limit)) {
        thread.interrupt();
        thread.join(INTERRUPTED_WITHIN);
      }
    } catch (InterruptedException e) {
      thread.interrupt();
      Thread.currentThread().interrupt();
    }
  }
}
