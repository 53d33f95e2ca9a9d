package io.sippbx.control.registrar;

import io.sippbx.control.registrar.binding.Binding;
import io.sippbx.control.sip.auth.AccessResponses;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;

/** The answers to REGISTER. Pure. */
final class RegisterResponses {

  /** RFC 3261 20.17. */
  private static final DateTimeFormatter SIP_DATE =
      DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  private RegisterResponses() {}

  /** RFC 3261 10.3 step 8: all bindings that hold, each with the time that is left to it. */
  static SipResponse ok(SipRequest request, List<Binding> bindings, Instant now) {
    var response = SipResponse.to(request, 200);
    for (Binding binding : bindings) {
      NameAddr contact = binding.contact();
      response.addContact(
          contact.withParams(
              contact.params().with("expires", Long.toString(binding.remainingSeconds(now)))));
    }
    // RFC 3327 5.3: the Path goes back to a UA that says that it understands it.
    if (supports(request, "path")) {
      response.copy(request, HeaderName.PATH);
    }
    return response
        .header(HeaderName.DATE, SIP_DATE.format(now))
        .toTag(AccessResponses.tag(request))
        .build();
  }

  static SipResponse refusal(SipRequest request, int status, String phrase) {
    return refusalBuilder(request, status, phrase).build();
  }

  static SipResponse tooBrief(SipRequest request, String phrase, long minExpires) {
    return refusalBuilder(request, 423, phrase)
        .header(HeaderName.MIN_EXPIRES, Long.toString(minExpires))
        .build();
  }

  static SipResponse badExtension(SipRequest request, List<String> unsupported) {
    return refusalBuilder(request, 420, "Bad Extension")
        .header(HeaderName.UNSUPPORTED, String.join(", ", unsupported))
        .build();
  }

  static SipResponse unavailable(SipRequest request, Duration retryAfter) {
    return refusalBuilder(request, 503, "Service Unavailable")
        .header(HeaderName.RETRY_AFTER, Long.toString(retryAfter.toSeconds()))
        .build();
  }

  private static SipResponse.Builder refusalBuilder(SipRequest request, int status, String phrase) {
    return SipResponse.to(request, status).reason(phrase).toTag(AccessResponses.tag(request));
  }

  private static boolean supports(SipRequest request, String option) {
    return request.optionTags(HeaderName.SUPPORTED).stream().anyMatch(option::equalsIgnoreCase);
  }
}
