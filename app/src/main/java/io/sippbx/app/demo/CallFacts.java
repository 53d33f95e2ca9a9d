package io.sippbx.app.demo;

import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.sdp.Direction;
import java.time.Instant;
import java.util.Optional;

/**
 * What the phones saw of a call that went through.
 *
 * @param callId of the caller's leg
 * @param calleesInvite the INVITE as it came to the callee
 * @param callersMedia where the caller was told to send
 * @param calleesMedia where the callee was told to send
 * @param began when the caller dialled
 * @param ended when the caller's BYE was answered
 * @param hold what there was to see of the hold, if there was one
 */
record CallFacts(
    CallId callId,
    SipRequest calleesInvite,
    Endpoint callersMedia,
    Endpoint calleesMedia,
    Instant began,
    Instant ended,
    Optional<Hold> hold) {

  /**
   * A hold.
   *
   * @param offered the direction that the callee was offered
   * @param answered the direction that the caller was answered
   * @param resumed the direction that the callee was offered in the end
   * @param heardByHolder packets that came to the caller once the hold was up
   * @param heardByHeld packets that came to the callee meanwhile
   */
  record Hold(
      Direction offered,
      Direction answered,
      Direction resumed,
      int heardByHolder,
      int heardByHeld) {}
}
