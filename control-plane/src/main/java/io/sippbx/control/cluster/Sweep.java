package io.sippbx.control.cluster;

import io.sippbx.shared.identity.CallKey;
import java.util.Optional;

/**
 * The search of one partition for one dead member's calls: passes through the list of its node in
 * pages, one page at a time, until a pass has found none that was its. On the loop of the rounds.
 */
final class Sweep {
  private Optional<CallKey> after = Optional.empty();
  private long nextNs;
  private boolean busy;
  private boolean listed;
  private boolean found;
  private boolean clean;

  Sweep(long nowNs) {
    this.nextNs = nowNs;
  }

  /** Whether a page is to be asked for. */
  boolean isDue(long nowNs) {
    return !busy && !clean && nowNs - nextNs >= 0;
  }

  /** Whether a whole pass has found no call that was the dead member's. */
  boolean isClean() {
    return clean;
  }

  /** Where the next page begins. */
  Optional<CallKey> after() {
    return after;
  }

  /** A page was asked for. */
  void asked() {
    busy = true;
  }

  /**
   * A page came.
   *
   * @param last empty: all that were looked at are gone, and the next page begins as this did
   */
  void came(Optional<CallKey> last, boolean more) {
    after = last.isPresent() ? last : after;
    listed = !more;
  }

  /** A call of the page was the member's, or may have been. */
  void found() {
    found = true;
  }

  /** All calls of the page are done with. */
  void done(long againNs) {
    busy = false;
    if (listed) {
      clean = !found;
      startAgain(againNs);
    }
  }

  /** No page came. */
  void failed(long againNs) {
    busy = false;
    startAgain(againNs);
  }

  private void startAgain(long againNs) {
    after = Optional.empty();
    listed = false;
    found = false;
    nextNs = againNs;
  }
}
