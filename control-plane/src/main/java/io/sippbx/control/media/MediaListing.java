package io.sippbx.control.media;

import io.sippbx.shared.identity.CallKey;
import java.util.List;
import java.util.Optional;

/** What a media node says that it holds. */
public sealed interface MediaListing {

  /**
   * A session.
   *
   * @param confirmed whether the node keeps it until it is told otherwise
   * @param pairs port pairs that it takes
   */
  record Session(CallKey call, long revision, boolean confirmed, int pairs) {}

  /**
   * Sessions in the order of their keys.
   *
   * @param next where there may be more: after this one
   */
  record Page(List<Session> sessions, Optional<CallKey> next) implements MediaListing {
    /** Copies {@code sessions}. */
    public Page {
      sessions = List.copyOf(sessions);
    }
  }

  /** It did not say. */
  record Failed(String detail) implements MediaListing {}
}
