package io.sippbx.control.sip.transaction;

/** Why a request got no final response. */
public enum Failure {
  /** Nobody answered in time; to be taken as a 408 (RFC 3261 8.1.3.1). */
  TIMEOUT,

  /** The request could not be sent; to be taken as a 503 (RFC 3261 8.1.3.1). */
  TRANSPORT,

  /** The request was not sent, because there are as many client transactions as there may be. */
  LIMIT
}
