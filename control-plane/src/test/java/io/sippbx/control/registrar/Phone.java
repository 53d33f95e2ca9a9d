package io.sippbx.control.registrar;

import io.sippbx.control.sip.auth.DigestChallenge;
import io.sippbx.control.sip.auth.DigestClient;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.net.Endpoint;
import org.jspecify.annotations.Nullable;

/** A phone that writes requests and answers challenges. */
final class Phone {

  final Flow flow;
  private final String user;
  private final DigestClient.Login login;
  private final CallId callId;
  private long cSeq;
  private long nonceCount;
  private @Nullable DigestChallenge challenge;

  Phone(String user, String password, String ip) {
    this.user = user;
    this.login = new DigestClient.Login(user, password);
    this.callId = new CallId(user + "@" + ip);
    this.flow = Flow.udp(Endpoint.of("192.0.2.1", 5060), Endpoint.of(ip, 5060));
  }

  /** The next REGISTER, to be finished; with credentials once there was a challenge. */
  SipRequest.Builder register() {
    return request(Method.REGISTER, "sip:pbx.example", "sip:" + user + "@pbx.example");
  }

  /** A REGISTER of the phone's contact. */
  SipRequest register(long expires) {
    return register().contact(contact()).expires(expires).build();
  }

  NameAddr contact() {
    return NameAddr.of(Uri.of("sip:" + user + "@" + flow.remote()));
  }

  /** A request of another method. */
  SipRequest.Builder request(Method method, String uri, String to) {
    var builder =
        SipRequest.builder(method, Uri.of(uri))
            .via(
                Via.of(
                    TransportProtocol.UDP,
                    flow.remote(),
                    new Branch("z9hG4bK" + user + method + ++cSeq)))
            .from(
                NameAddr.of(Uri.of("sip:" + user + "@pbx.example"))
                    .withTag(new Tag("from-" + user)))
            .to(NameAddr.of(Uri.of(to)))
            .callId(callId)
            .cSeq(cSeq);
    if (challenge != null) {
      builder.header(
          method.equals(Method.REGISTER)
              ? HeaderName.AUTHORIZATION
              : HeaderName.PROXY_AUTHORIZATION,
          DigestClient.authorize(challenge, login, method, Uri.of(uri), "0a4f113b", ++nonceCount));
    }
    return builder;
  }

  /** Answers with the credentials of this challenge from now on. */
  void learn(SipResponse response) {
    var values = response.headers(HeaderName.WWW_AUTHENTICATE);
    challenge =
        DigestClient.choose(
                values.isEmpty() ? response.headers(HeaderName.PROXY_AUTHENTICATE) : values)
            .orElseThrow();
    nonceCount = 0;
  }
}
