package io.sippbx.control.sip.auth;

import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.shared.net.IpAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * What a decision about access looks at.
 *
 * @param source where it came from, as seen
 * @param credentials the values of Authorization and of Proxy-Authorization
 * @param particular what tells this request from others: for the salt of a nonce
 */
public record AccessRequest(
    Method method, Uri uri, IpAddress source, List<String> credentials, String particular) {

  /** Copies {@code credentials}. */
  public AccessRequest {
    credentials = List.copyOf(credentials);
  }

  /**
   * Of a request.
   *
   * @param source where it came from, as seen
   */
  public static AccessRequest of(SipRequest request, IpAddress source) {
    var credentials = new ArrayList<>(request.headers(HeaderName.AUTHORIZATION));
    credentials.addAll(request.headers(HeaderName.PROXY_AUTHORIZATION));
    String particular =
        String.join(
            "\n",
            request.callId().value(),
            request.cSeq().toString(),
            request.topVia().branch().map(Branch::value).orElse(""),
            source.toString());
    return new AccessRequest(request.method(), request.uri(), source, credentials, particular);
  }
}
