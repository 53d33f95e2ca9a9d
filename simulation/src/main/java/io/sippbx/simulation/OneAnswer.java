package io.sippbx.simulation;

import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipResponse;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A request gets one final answer, however often it is repeated and whichever node it reaches: the
 * same status, and for a 2xx the same dialog. A refusal for want of room, with Retry-After, is made
 * without state, and does not count; neither does a CANCEL that has overtaken its INVITE (481) and
 * comes again after it, nor a 487 that went ahead of its commit, whose node may not live to make
 * it. Where that was heard first, another that had taken the call over may have said 200 before it
 * was told so; then 487 is said again, as it is what the caller goes by.
 */
final class OneAnswer extends Invariant {

  private static final String CANCELLED = "487";

  private final Map<String, String> answers = new LinkedHashMap<>();

  /** Requests whose first answer was a 487 that went ahead. */
  private final Set<String> ahead = new LinkedHashSet<>();

  OneAnswer(View view) {
    super(view);
  }

  @Override
  String says() {
    return "one answer to a request";
  }

  @Override
  void sent(String node, Network.Sent sent) {
    if (sent.message() instanceof SipResponse response) {
      answers(node, response);
    }
  }

  /** A start of a control node answers a request. */
  void answers(String node, SipResponse response) {
    if (!response.isFinal()
        || response.hasHeader(HeaderName.RETRY_AFTER)
        || response.cSeq().method().equals(Method.CANCEL)
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
    if (answer.equals(CANCELLED) && isStruck(Fault.Kind::isOfStore)) {
      if (!answers.containsKey(request)) {
        ahead.add(request);
      }
      return;
    }
    String before = answers.putIfAbsent(request, answer);
    OptionalInt call = PlannedCall.numberOf(response.callId());
    boolean isLost = call.isPresent() && view().isRefusalLost(call.getAsInt());
    boolean isFirst = answer.equals(CANCELLED) && ahead.contains(request);
    if (before != null && !before.equals(answer) && !isLost && !isFirst) {
      violated(node + " answers " + request + " with " + answer + " after " + before);
    }
  }
}
