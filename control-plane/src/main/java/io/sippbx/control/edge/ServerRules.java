package io.sippbx.control.edge;

import io.sippbx.control.call.Breadth;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.TelUri;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a request must be like before anybody looks at what it is for. Pure.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-8.2">RFC 3261 8.2</a>
 */
public final class ServerRules {

  /** The methods that are served. */
  public static final String ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, REGISTER";

  /** What bodies of INVITE may hold. */
  public static final String ACCEPT = "application/sdp";

  private static final List<Method> SERVED =
      List.of(
          Method.INVITE,
          Method.ACK,
          Method.CANCEL,
          Method.BYE,
          Method.OPTIONS,
          Method.INFO,
          Method.REGISTER);

  private ServerRules() {}

  /**
   * A refusal.
   *
   * @param headers to be added to the response
   */
  public record Refusal(int status, List<Header> headers) {
    /** Copies {@code headers}. */
    public Refusal {
      headers = List.copyOf(headers);
    }
  }

  /** A header field of a response. */
  public record Header(HeaderName name, String value) {}

  /** Why the request is not served, if so. ACK is never asked about: it has no response. */
  public static Optional<Refusal> check(SipRequest request) {
    Method method = request.method();
    if (!SERVED.contains(method)) {
      return refusal(method.isKnown() ? 405 : 501, new Header(HeaderName.ALLOW, ALLOW));
    }
    if (!(request.uri() instanceof SipUri) && !(request.uri() instanceof TelUri)) {
      return refusal(416);
    }
    if (method.equals(Method.CANCEL)) {
      // RFC 3261 8.2.2.3: Require has no place in CANCEL and is not looked at.
      return Optional.empty();
    }
    if (request.maxForwards().isPresent()
        && request.maxForwards().getAsInt() == 0
        && !method.equals(Method.REGISTER)
        && !method.equals(Method.OPTIONS)
        && request.toTag().isEmpty()) {
      return refusal(483);
    }
    if (method.equals(Method.INVITE)
        && request.toTag().isEmpty()
        && Breadth.of(request).isUsedUp()) {
      return refusal(440);
    }
    List<String> unsupported = new ArrayList<>(request.optionTags(HeaderName.REQUIRE));
    unsupported.addAll(request.optionTags(HeaderName.PROXY_REQUIRE));
    unsupported.removeIf(tag -> isSupported(tag, method));
    if (!unsupported.isEmpty()) {
      return refusal(420, new Header(HeaderName.UNSUPPORTED, String.join(", ", unsupported)));
    }
    return content(request);
  }

  /** Path and outbound change what a registration means, and the registrar knows them. */
  private static boolean isSupported(String tag, Method method) {
    return method.equals(Method.REGISTER) && tag.toLowerCase(Locale.ROOT).equals("path");
  }

  private static Optional<Refusal> content(SipRequest request) {
    if (!request.hasBody() || !request.method().equals(Method.INVITE)) {
      return Optional.empty();
    }
    for (String encoding : request.headers(HeaderName.CONTENT_ENCODING)) {
      if (!encoding.equalsIgnoreCase("identity")) {
        return refusal(415, new Header(HeaderName.ACCEPT_ENCODING, "identity"));
      }
    }
    String type = request.contentType().orElse("");
    int parameters = type.indexOf(';');
    String bare = (parameters < 0 ? type : type.substring(0, parameters)).strip();
    return bare.equalsIgnoreCase(ACCEPT)
        ? Optional.empty()
        : refusal(415, new Header(HeaderName.ACCEPT, ACCEPT));
  }

  private static Optional<Refusal> refusal(int status, Header... headers) {
    return Optional.of(new Refusal(status, List.of(headers)));
  }
}
