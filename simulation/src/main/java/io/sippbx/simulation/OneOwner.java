package io.sippbx.simulation;

import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.shared.identity.CallKey;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * For a call in flight no other node sends than the one that its record names, but for what only
 * ends or repeats: BYE, CANCEL, their answers, the 487 of what is cancelled, and an answer or ACK
 * that was sent before. So may a start that has just given the call up refuse what its last commit
 * tells it to, though another has begun with it since; and one go on whose commit a fail-over has
 * lost.
 */
final class OneOwner extends Invariant {

  private final Set<String> said = new LinkedHashSet<>();

  OneOwner(View view) {
    super(view);
  }

  @Override
  String says() {
    return "one owner";
  }

  @Override
  void sent(String node, Network.Sent sent) {
    SipMessage message = sent.message();
    Optional<CallKey> call = Network.callOf(message);
    if (call.isEmpty() || isExempt(sent)) {
      return;
    }
    Optional<String> owner = view().owner(call.get());
    if (owner.isEmpty()
        || owner.get().equals(node)
        || view().hasLost(call.get(), node)
        || isFinal(message) && view().hasJustGivenUp(call.get(), node)) {
      return;
    }
    violated(
        node
            + " sends "
            + Network.told(message)
            + " for "
            + call.get()
            + ", which is in flight on "
            + owner.get());
  }

  /** A refusal, or an ACK: a transaction ends with it, and no other message comes of it. */
  private static boolean isFinal(SipMessage message) {
    return switch (message) {
      case SipRequest request -> request.method().equals(Method.ACK);
      case SipResponse response -> response.status() >= 300;
    };
  }

  private boolean isExempt(Network.Sent sent) {
    SipMessage message = sent.message();
    Method method = message.cSeq().method();
    if (method.equals(Method.BYE) || method.equals(Method.CANCEL)) {
      return true;
    }
    return switch (message) {
      case SipRequest request -> request.method().equals(Method.ACK) && !said.add(key(sent));
      case SipResponse response ->
          response.hasHeader(HeaderName.RETRY_AFTER)
              || response.status() == 487
              || !said.add(key(sent));
    };
  }

  private static String key(Network.Sent sent) {
    return sent.to() + " " + sent.message();
  }
}
