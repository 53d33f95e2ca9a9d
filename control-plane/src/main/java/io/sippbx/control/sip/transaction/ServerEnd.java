package io.sippbx.control.sip.transaction;

/** Why a server transaction ended. */
public enum ServerEnd {
  /** A final response was given and, where one is due, acknowledged; repeats are over. */
  DONE,

  /** A final response to INVITE of 300 to 699 was never acknowledged (Timer H). */
  NO_ACK,

  /** The transaction user gave no final response for {@link TransactionLimits#longestWait}. */
  NO_ANSWER
}
