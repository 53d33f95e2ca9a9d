package io.sippbx.app.demo;

import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.shared.sdp.Direction;
import java.util.ArrayList;
import java.util.List;

/** A message in a few words: what the arrow of a ladder says. */
final class MessageLabel {

  private MessageLabel() {}

  /** As in {@code INVITE (digest, SDP)}, {@code 200 OK to INVITE (SDP)}, {@code 180 Ringing}. */
  static String of(SipMessage message) {
    List<String> parts = new ArrayList<>(2);
    if (message.hasHeader(HeaderName.AUTHORIZATION)
        || message.hasHeader(HeaderName.PROXY_AUTHORIZATION)) {
      parts.add("digest");
    }
    if (message.isContentType("application/sdp")) {
      parts.add(
          PhoneMedia.read(message)
              .map(PhoneMedia::direction)
              .filter(direction -> direction != Direction.SENDRECV)
              .map(direction -> "SDP " + direction.attribute())
              .orElse("SDP"));
    }
    String what =
        switch (message) {
          case SipRequest request -> name(request);
          case SipResponse response -> name(response);
        };
    return parts.isEmpty() ? what : what + " (" + String.join(", ", parts) + ")";
  }

  private static String name(SipRequest request) {
    boolean again = request.method().equals(Method.INVITE) && request.toTag().isPresent();
    return (again ? "re-" : "") + request.method();
  }

  private static String name(SipResponse response) {
    String status = response.status() + " " + response.reason();
    return response.isSuccess() ? status + " to " + response.cSeq().method() : status;
  }
}
