package io.sippbx.control.sip.auth;

import io.sippbx.control.sip.message.HeaderName;
import java.util.List;
import java.util.Optional;

/** What is to become of a request, as far as it is a matter of who sends it. */
public sealed interface AccessDecision {

  /**
   * It may go on.
   *
   * @param user who it is; empty where nobody was asked (loopback without users, ACK, CANCEL)
   * @param nonce what the credentials used up, still to be held against what is known of it
   */
  record Accepted(Optional<User> user, Optional<NonceUse> nonce) implements AccessDecision {

    /** Accepted without being asked. */
    public static final Accepted UNASKED = new Accepted(Optional.empty(), Optional.empty());

    /** Whether the sender may speak for {@code identity}: a user part, escapes undone. */
    public boolean mayUse(String identity) {
      return user.isEmpty() || user.get().mayUse(identity);
    }
  }

  /**
   * It is answered with a challenge.
   *
   * @param status 401 or 407
   * @param header the name of each challenge's field
   * @param challenges the values, in the order in which they must stand
   */
  record Challenge(int status, HeaderName header, List<String> challenges, ChallengeReason reason)
      implements AccessDecision {
    /** Copies {@code challenges}. */
    public Challenge {
      challenges = List.copyOf(challenges);
    }
  }

  /**
   * It is refused.
   *
   * @param status 400 or 403
   * @param phrase for the status line
   * @param advice what to configure to have it otherwise: for a log line, which the caller keeps
   *     from flooding the log
   */
  record Refused(int status, String phrase, Optional<String> advice) implements AccessDecision {}

  /** It cannot be told now, since the store does not answer: 503 with Retry-After. */
  record Unavailable(String detail) implements AccessDecision {}
}
