package io.sippbx.control.sip.transport;

import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipMessage;

/**
 * What the transport gives up to: called on the event loop that read the bytes, which differs from
 * message to message; it must not block.
 */
public interface SipReceiver {

  /**
   * A message that parsed. A request's topmost Via tells the source ({@code received}, {@code
   * rport}) as RFC 3261 18.2.1 and RFC 3581 4 ask; a response's is ours.
   */
  void received(SipMessage message, Flow flow);

  /**
   * Bytes that are no valid SIP message. Where {@code malformed} holds an answerable request, its
   * topmost Via is completed as above and an answer may be sent over {@code flow}; a connection on
   * which this happened is closed a moment later, as the start of the next message is not known.
   */
  void malformed(ParseResult.Malformed malformed, Flow flow);
}
