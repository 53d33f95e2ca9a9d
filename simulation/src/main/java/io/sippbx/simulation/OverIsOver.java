package io.sippbx.simulation;

import io.sippbx.control.call.BranchName;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * What is over is not said again, by whichever node: an INVITE whose final response a node has
 * acknowledged, and nothing but BYE, CANCEL and ACK of a call whose end was told. A phone that has
 * forgotten the one would take the repeat for another call, and ring.
 */
final class OverIsOver extends Invariant {

  /** INVITEs by their branches, and those that were acknowledged. */
  private final Set<Branch> invites = new LinkedHashSet<>();

  private final Set<String> acknowledged = new LinkedHashSet<>();
  private final Set<CallKey> ended = new LinkedHashSet<>();

  OverIsOver(View view) {
    super(view);
  }

  @Override
  String says() {
    return "what is over is not said again";
  }

  @Override
  void happened(CallKey call, CallEvent event) {
    if (event.hasEnded()) {
      ended.add(call);
    }
  }

  @Override
  void sent(String node, Network.Sent sent) {
    if (!(sent.message() instanceof SipRequest request)) {
      return;
    }
    Optional<Branch> branch = request.topVia().branch();
    Method method = request.method();
    if (branch.isEmpty() || Network.callOf(request).filter(view()::wasSetBack).isPresent()) {
      return;
    }
    if (method.equals(Method.ACK)) {
      // A 2xx ends it for each destination that it was sent to; another response, for this one.
      acknowledged.add(
          invites.contains(branch.get()) ? branch.get().toString() : transaction(request));
      return;
    }
    if (method.equals(Method.INVITE)) {
      invites.add(branch.get());
      if (acknowledged.contains(branch.get().toString())
          || acknowledged.contains(transaction(request))) {
        violated(
            node + " sends " + Network.told(request) + ", whose final response was acknowledged");
      }
    }
    if (!method.equals(Method.BYE)
        && !method.equals(Method.CANCEL)
        && BranchName.of(branch.get()).map(BranchName::call).filter(ended::contains).isPresent()) {
      violated(node + " sends " + Network.told(request) + " of a call whose end was told");
    }
  }

  private static String transaction(SipRequest request) {
    return request.cSeq().number() + " " + request.callId();
  }
}
