package io.sippbx.control.sip.transaction;

import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipLimits;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipParser;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.net.Endpoint;
import java.nio.charset.StandardCharsets;

/** Messages and addresses for these tests. */
final class Sip {

  static final Endpoint US = Endpoint.of("192.0.2.1", 5060);
  static final Endpoint PEER = Endpoint.of("192.0.2.2", 5060);
  static final Flow UDP = Flow.udp(US, PEER);
  static final Flow TCP = Flow.accepted(TransportProtocol.TCP, US, PEER, 7);

  private Sip() {}

  /** A request of {@code sentBy} with {@code branch}; its Call-ID is "call". */
  static SipRequest request(Method method, String branch, String sentBy) {
    return request(method, "SIP/2.0/UDP " + sentBy + ";branch=" + branch, "", 1);
  }

  static SipRequest request(Method method, String via, String toParams, long cSeq) {
    return request(
        method + " sip:bob@example.com SIP/2.0",
        "Via: " + via,
        "From: <sip:alice@example.com>;tag=a",
        "To: <sip:bob@example.com>" + toParams,
        "Call-ID: call",
        "CSeq: " + cSeq + " " + method,
        "Max-Forwards: 70");
  }

  static SipRequest request(String... lines) {
    return (SipRequest) parse(String.join("\r\n", lines) + "\r\nContent-Length: 0\r\n\r\n");
  }

  static SipResponse response(SipRequest to, int status) {
    return SipResponse.to(to, status).toTag(new Tag("b")).build();
  }

  static SipMessage parse(String text) {
    return parse(text.getBytes(StandardCharsets.UTF_8));
  }

  /** As the other side reads it. */
  static SipMessage parse(byte[] octets) {
    ParseResult result = SipParser.parse(octets, 0, octets.length, SipLimits.DEFAULT);
    if (result instanceof ParseResult.Parsed(SipMessage message, int consumed)) {
      return message;
    }
    throw new IllegalArgumentException("Expected a SIP message, but got " + result);
  }
}
