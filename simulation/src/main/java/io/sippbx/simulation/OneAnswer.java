package io.sippbx.simulation;

import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipResponse;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * A request gets one final answer, however often it is repeated and whichever node it reaches: the
 * same status, and for a 2xx the same dialog. A refusal for want of room, with Retry-After, is made
 * without state, and does not count; neither does a CANCEL that has overtaken its INVITE (481) and
 * comes again after it, nor a 487 that went ahead of its commit, whose node may not live to make
 * it.
 */
final class OneAnswer extends Invariant {

  private final Map<String, String> answers = new LinkedHashMap<>();

  OneAnswer(View view) {
    super(view);
  }

  @Override
  String says() {
    return "one answer to a request";
  }

  @Override
  void sent(String node, Network.Sent sent) {
    if (!(sent.message() instanceof SipResponse response)
        || !response.isFinal()
        || response.hasHeader(HeaderName.RETRY_AFTER)
        || response.cSeq().method().equals(Method.CANCEL)
        || response.status() == 487 && isStruck(Fault.Kind::isOfStore)
        || Network.callOf(response).filter(view()::wasSetBack).isPresent()) {
      return;
    }
    String request =
        response.topVia().host()
            + " "
            + response.topVia().branch().map(Object::toString).orElse("")
            + " "
            + response.cSeq();
    String answer =
        response.status()
            + (response.isSuccess() ? " " + response.toTag().map(Object::toString).orElse("") : "");
    String before = answers.putIfAbsent(request, answer);
    OptionalInt call = PlannedCall.numberOf(response.callId());
    boolean isLost = call.isPresent() && view().isRefusalLost(call.getAsInt());
    if (before != null && !before.equals(answer) && !isLost) {
      violated(node + " answers " + request + " with " + answer + " after " + before);
    }
  }
}
