package io.sippbx.control.sip.transaction;

import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;

/**
 * The CANCEL of a request that was sent: with its Request-URI, Call-ID, From, To, CSeq number,
 * topmost Via (hence its branch) and Route. It must not be sent before a provisional response came,
 * and goes to the same address as the request.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-9.1">RFC 3261 9.1</a>
 */
public final class CancelRequest {

  private CancelRequest() {}

  /** The CANCEL of {@code request}. */
  public static SipRequest of(SipRequest request) {
    return SipRequest.builder(Method.CANCEL, request.uri())
        .via(request.topVia())
        .copy(request, HeaderName.ROUTE)
        .copy(request, HeaderName.FROM)
        .copy(request, HeaderName.TO)
        .copy(request, HeaderName.CALL_ID)
        .cSeq(request.cSeq().number())
        .build();
  }
}
