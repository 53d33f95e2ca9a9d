package io.sippbx.shared.sdp;

/** What became of reading a session description. */
public sealed interface SdpParseResult {

  /** It was well formed, as far as a relay has to understand it. */
  record Parsed(SessionDescription description) implements SdpParseResult {}

  /**
   * It was not.
   *
   * @param reason for people; never a part of what was received
   * @param line from 1; 0 when it is about no one line
   */
  record Malformed(Problem problem, String reason, int line) implements SdpParseResult {}

  /** Kinds of malformed descriptions. */
  enum Problem {
    /** Not as RFC 8866 demands. */
    SYNTAX,
    /** Over one of {@link SdpLimits}. */
    OVER_LIMIT
  }
}
