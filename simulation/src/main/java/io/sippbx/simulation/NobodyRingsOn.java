package io.sippbx.simulation;

import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * A callee that was heard ringing is told when its call is over: it need not wait until its INVITE
 * expires, as one must whose responses were all lost (RFC 3261 9.1). Where the store has lost a
 * call, and its node has died before it could write it back, nobody knows whom to tell.
 */
final class NobodyRingsOn extends Invariant {

  /** Of INVITEs, of which a node has heard a provisional response. */
  private final Set<Branch> ringing = new LinkedHashSet<>();

  NobodyRingsOn(View view) {
    super(view);
  }

  @Override
  String says() {
    return "nobody rings on";
  }

  @Override
  void heard(Network.Sent sent) {
    if (sent.message() instanceof SipResponse response
        && response.cSeq().method().equals(Method.INVITE)
        && !response.isFinal()
        && sent.to().equals(Simulation.EDGE)) {
      response.topVia().branch().ifPresent(ringing::add);
    }
  }

  @Override
  void expired(int call, String phone, SipRequest invite) {
    if (invite.topVia().branch().filter(ringing::contains).isPresent()
        && !view().wasSetBack(call)
        && !view().isForgotten(call)) {
      violated(phone + " was not told that call " + call + " is over");
    }
  }
}
