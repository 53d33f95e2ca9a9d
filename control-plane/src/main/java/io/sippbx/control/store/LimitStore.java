package io.sippbx.control.store;

import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * Limits of the whole cluster: each call that counts holds a lease, which ends by itself when
 * nobody gives it back or renews it.
 *
 * <p>Methods return at once. An answer is given exactly once, within the store's time-out, on the
 * loop of the call, never inline.
 */
public interface LimitStore {

  /** What a limit may be called. */
  Pattern NAME = Pattern.compile("[A-Za-z0-9._:-]{1,128}");

  /**
   * Takes a lease, or renews the one that the call holds, whatever the limit is by now.
   *
   * @param name of the limit
   * @param limit leases that there may be; 0: none
   * @param lease how long it lasts, at least a millisecond
   */
  void take(String name, CallKey call, int limit, Duration lease, Consumer<LeaseAnswer> answer);

  /**
   * Gives a lease back; giving back what is not held changes nothing. Answers {@link Released} or
   * {@link Unavailable}.
   */
  void release(String name, CallKey call, Consumer<LeaseAnswer> answer);

  /** What the store says. */
  sealed interface LeaseAnswer {}

  /**
   * The call holds the lease.
   *
   * @param leases held by all calls, this one among them
   */
  record Held(int leases) implements LeaseAnswer {}

  /** The lease was given back. */
  record Released() implements LeaseAnswer {}

  /**
   * The limit is reached.
   *
   * @param leases held by others
   */
  record Refused(int leases) implements LeaseAnswer {}

  /** No answer in time: whether the lease is held is not known; it ends by itself. */
  record Unavailable(String detail) implements LeaseAnswer {}

  /** Refuses what cannot be asked. */
  static void check(String name, int limit, Duration lease) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "Expected 1 to 128 letters, digits, dots, colons, hyphens and underscores as a limit's"
              + " name, but got "
              + name);
    }
    if (limit < 0 || lease.toMillis() < 1) {
      throw new IllegalArgumentException(
          "Expected a limit of 0 or more and a lease of 1 ms or more, but got "
              + limit
              + " and "
              + lease);
    }
  }
}
