package io.sippbx.control.registrar;

/** How a REGISTER ended; a closed list, fit for a metric's label. */
public enum RegisterResult {
  /** 200. */
  ACCEPTED,
  /** 401, 403 or 400 by the access policy. */
  NO_ACCESS,
  /** 403: the user may not register for this address-of-record. */
  NOT_OWN_IDENTITY,
  /** 404: no address-of-record of ours. */
  NOT_OURS,
  /** 416: the Request-URI is no SIP URI. */
  UNSUPPORTED_SCHEME,
  /** 420: requires what we do not have. */
  BAD_EXTENSION,
  /** 400: {@code *} without Expires: 0, or beside other contacts. */
  BAD_WILDCARD,
  /** 423. */
  INTERVAL_TOO_BRIEF,
  /** 500: the CSeq is not above the last one. */
  OUT_OF_ORDER,
  /** 403: more bindings than allowed. */
  TOO_MANY_BINDINGS,
  /** 503: the store does not answer, or is full. */
  STORE_UNAVAILABLE,
  /** 503: nobody has taken events for so long that no more of registrations can be kept. */
  OUTBOX_FULL,
  /** 503: others wrote the record at each attempt. */
  CONTENDED,
  /** 503: too many requests wait for the store. */
  OVERLOADED
}
