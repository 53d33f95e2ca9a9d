package io.sippbx.control.sip.auth;

/** Why a request was challenged; a closed list, fit for a metric's label. */
public enum ChallengeReason {
  /** No credentials for our realm: how every exchange begins. */
  NO_CREDENTIALS(false),
  /** The credentials are right and the nonce is too old. */
  NONCE_EXPIRED(false),
  /** The credentials are right and were used before, or came out of order. */
  NONCE_REUSED(false),
  /** The nonce is not one of ours. */
  NONCE_FORGED(true),
  /** The response is not that of the password. */
  WRONG_PASSWORD(true),
  /** There is no such user. */
  UNKNOWN_USER(true),
  /** A qop other than {@code auth}, none at all, an algorithm not offered, or userhash. */
  UNSUPPORTED(true);

  private final boolean failure;

  ChallengeReason(boolean failure) {
    this.failure = failure;
  }

  /** Whether somebody has tried and failed, which is worth counting. */
  public boolean isFailure() {
    return failure;
  }
}
