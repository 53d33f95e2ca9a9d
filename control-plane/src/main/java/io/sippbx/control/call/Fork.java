package io.sippbx.control.call;

import io.sippbx.control.sip.message.SipRequest;
import java.util.Optional;

/**
 * A dialog that one of our INVITEs made, early or confirmed. A downstream proxy that forks makes
 * several of one INVITE; each has a dialog of its own towards the caller.
 *
 * @param ordinal of the caller-side dialog, unique within the call
 * @param dialog towards the callee
 * @param callee what was said of the session towards the callee
 * @param caller what was said of the session towards the caller, in this fork's dialog
 * @param ack our ACK for its 2xx, given again to each repeat of the 2xx
 */
public record Fork(
    int ordinal, Dialog dialog, SdpState callee, SdpState caller, Optional<SipRequest> ack) {

  Fork with(Dialog next) {
    return new Fork(ordinal, next, callee, caller, ack);
  }

  Fork with(SdpState towardsCallee, SdpState towardsCaller) {
    return new Fork(ordinal, dialog, towardsCallee, towardsCaller, ack);
  }

  Fork withAck(SipRequest sent) {
    return new Fork(ordinal, dialog, callee, caller, Optional.of(sent));
  }
}
