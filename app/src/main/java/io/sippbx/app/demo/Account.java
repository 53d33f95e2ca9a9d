package io.sippbx.app.demo;

import io.sippbx.control.sip.auth.DigestClient;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.shared.net.Endpoint;

/**
 * What a phone has to be told before it works.
 *
 * @param login user name and password
 * @param domain the host of its address-of-record
 * @param edge where all that it sends outside of a call goes
 * @param protocol how
 */
record Account(DigestClient.Login login, String domain, Endpoint edge, TransportProtocol protocol) {

  /** The user name. */
  String user() {
    return login.username();
  }

  /** The address-of-record of this user, or of another one at the same domain. */
  SipUri address(String user) {
    return SipUri.of(user, domain);
  }
}
