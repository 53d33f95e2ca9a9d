package io.sippbx.control.call;

import io.sippbx.control.event.Termination;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.event.Termination.Result;

/**
 * Which failure of several the caller hears, and what a failure means for the record.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-16.7">RFC 3261 16.7 step 6</a>
 */
final class Refusals {

  private Refusals() {}

  /** Whether {@code status} is to be told rather than {@code other}. */
  static boolean isBetter(int status, int other) {
    return rank(status) < rank(other);
  }

  /** 6xx first; else the lowest class, and in 4xx what a person said before what a server did. */
  private static int rank(int status) {
    int rank =
        switch (status) {
          case 486, 480, 488, 415, 484 -> 0;
          case 408 -> 3;
          case 404, 410, 604 -> 2;
          default -> 1;
        };
    int group = status / 100;
    return group == 6 ? rank : group * 10 + rank;
  }

  /**
   * The status that tells the caller what the callee's status meant. A challenge is for us, whom
   * the caller cannot help; a callee that is overloaded or cannot be reached is unavailable, which
   * does not make us so (RFC 3261 21.5.4, 16.7 step 6).
   */
  static int towardsCaller(int status) {
    return switch (status) {
      case 401, 407 -> 403;
      case 503 -> 480;
      default -> status;
    };
  }

  /** What the record says of a call that ended with this final status towards the caller. */
  static Termination termination(int status) {
    return switch (status) {
      case 486, 600 -> new Termination(Result.BUSY, Reason.BUSY, status);
      case 408 -> new Termination(Result.NO_ANSWER, Reason.NO_ANSWER, status);
      case 603 -> new Termination(Result.REJECTED, Reason.DECLINED, status);
      case 404, 604, 410 -> new Termination(Result.FAILED, Reason.NOT_FOUND, status);
      case 480 -> new Termination(Result.FAILED, Reason.UNREACHABLE, status);
      case 487 -> new Termination(Result.CANCELLED, Reason.CANCELLED, status);
      case 488, 415, 606 -> new Termination(Result.FAILED, Reason.NOT_ACCEPTABLE, status);
      default ->
          status >= 500 && status < 600
              ? new Termination(Result.FAILED, Reason.REFUSED, status)
              : new Termination(Result.REJECTED, Reason.REFUSED, status);
    };
  }
}
