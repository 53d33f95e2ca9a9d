package io.sippbx.control.sip.transaction;

import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SipTransport;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Answers requests without a transaction: challenges, refusals by limits, what is malformed. The
 * same request gets the same answer each time, whichever node it comes to.
 *
 * <p>May be called from any thread.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-8.2.7">RFC 3261 8.2.7</a>
 */
public final class StatelessResponder {

  private final SipTransport transport;
  private final Function<SipRequest, Tag> toTags;
  private final LongAdder sent = new LongAdder();
  private final LongAdder failed = new LongAdder();

  /**
   * @param toTags the tag to give to a To that has none: a keyed hash of what a repeat has too
   */
  public StatelessResponder(SipTransport transport, Function<SipRequest, Tag> toTags) {
    this.transport = transport;
    this.toTags = toTags;
  }

  /**
   * Answers with {@code status} (200 to 699) and what {@code more} adds. An ACK is never answered:
   * then nothing happens.
   */
  public void answer(
      SipRequest request, Flow flow, int status, UnaryOperator<SipResponse.Builder> more) {
    // "MUST NOT send provisional (1xx) responses" (8.2.7).
    if (status < 200) {
      throw new IllegalArgumentException("Expected a final status, but got " + status);
    }
    if (request.method().equals(Method.ACK)) {
      return;
    }
    SipResponse.Builder response = SipResponse.to(request, status);
    if (request.toTag().isEmpty()) {
      response.toTag(toTags.apply(request));
    }
    sent.increment();
    transport.send(more.apply(response).build(), flow, failure -> failed.increment());
  }

  /** Answers with {@code status} and nothing else. */
  public void answer(SipRequest request, Flow flow, int status) {
    answer(request, flow, status, UnaryOperator.identity());
  }

  /** Answers with 503 and Retry-After, in whole seconds, at least 1. */
  public void overloaded(SipRequest request, Flow flow, Duration retryAfter) {
    String seconds = Long.toString(Math.max(1, retryAfter.toSeconds()));
    answer(request, flow, 503, response -> response.header(HeaderName.RETRY_AFTER, seconds));
  }

  /** Answers with a response that somebody has made of the request. */
  public void answer(SipRequest request, Flow flow, SipResponse response) {
    if (request.method().equals(Method.ACK)) {
      return;
    }
    sent.increment();
    transport.send(response, flow, failure -> failed.increment());
  }

  /** Answers given so far. */
  public long sent() {
    return sent.sum();
  }

  /** Those of them that could not be sent. */
  public long failed() {
    return failed.sum();
  }
}
