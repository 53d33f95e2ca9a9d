package io.sippbx.control.sip.auth;

import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Tag;
import java.time.Duration;
import java.util.Optional;

/** The answers of those who may not go on. Pure: a repeat gets the same tag at any node. */
public final class AccessResponses {

  private AccessResponses() {}

  /**
   * The response that a decision asks for; none where the request is accepted.
   *
   * @param retryAfter for a 503
   */
  public static Optional<SipResponse> of(
      SipRequest request, AccessDecision decision, Duration retryAfter) {
    return switch (decision) {
      case AccessDecision.Accepted accepted -> Optional.empty();
      case AccessDecision.Challenge challenge -> {
        var response = SipResponse.to(request, challenge.status());
        for (String value : challenge.challenges()) {
          response.addHeader(challenge.header(), value);
        }
        yield Optional.of(response.toTag(tag(request)).build());
      }
      case AccessDecision.Refused refused ->
          Optional.of(
              SipResponse.to(request, refused.status())
                  .reason(refused.phrase())
                  .toTag(tag(request))
                  .build());
      case AccessDecision.Unavailable unavailable ->
          Optional.of(
              SipResponse.to(request, 503)
                  .header(HeaderName.RETRY_AFTER, Long.toString(retryAfter.toSeconds()))
                  .toTag(tag(request))
                  .build());
    };
  }

  /**
   * The tag of To in an answer that leaves no state: the same for each copy of the request (RFC
   * 3261 8.2.7).
   */
  public static Tag tag(SipRequest request) {
    String particular =
        String.join(
            "\n",
            request.callId().value(),
            request.cSeq().toString(),
            request.fromTag().map(Tag::value).orElse(""),
            request.topVia().sentBy(),
            request.topVia().branch().map(Branch::value).orElse(""));
    return new Tag(DigestAlgorithm.SHA_256.hash(particular).substring(0, 16));
  }
}
