package io.sippbx.control.sip.transaction;

import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;

/** The ACK for a final response of 300 to 699, which belongs to the INVITE's transaction. */
final class FailureAck {

  private FailureAck() {}

  /**
   * The ACK (RFC 3261 17.1.1.3). It carries the INVITE's credentials, since nobody could challenge
   * it (22.1).
   */
  static SipRequest of(SipRequest invite, SipResponse response) {
    return SipRequest.builder(Method.ACK, invite.uri())
        .via(invite.topVia())
        .copy(invite, HeaderName.ROUTE)
        .copy(invite, HeaderName.FROM)
        .copy(response, HeaderName.TO)
        .copy(invite, HeaderName.CALL_ID)
        .cSeq(invite.cSeq().number())
        .copy(invite, HeaderName.AUTHORIZATION)
        .copy(invite, HeaderName.PROXY_AUTHORIZATION)
        .build();
  }
}
