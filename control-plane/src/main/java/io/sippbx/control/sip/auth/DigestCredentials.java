package io.sippbx.control.sip.auth;

import java.util.Optional;

/**
 * What a client sends in Authorization or Proxy-Authorization.
 *
 * @param algorithm the token as sent; MD5 where there was none
 * @param nc the eight digits as sent, which is what the response is made of; present with qop
 * @see <a href="https://www.rfc-editor.org/rfc/rfc7616#section-3.4">RFC 7616 3.4</a>
 */
public record DigestCredentials(
    String username,
    String realm,
    String nonce,
    String uri,
    String response,
    String algorithm,
    Optional<String> qop,
    Optional<String> nc,
    Optional<String> cnonce,
    Optional<String> opaque,
    boolean userhash) {

  /** What became of a header field value. */
  public sealed interface Result {
    /** Digest credentials, complete. */
    record Parsed(DigestCredentials credentials) implements Result {}

    /** Credentials of another scheme, which are nothing to us. */
    record OtherScheme(String scheme) implements Result {}

    /** Neither; {@code reason} is fit for a reason phrase. */
    record Malformed(String reason) implements Result {}
  }

  /** Reads the value of an Authorization or Proxy-Authorization header field. Never throws. */
  public static Result parse(String value) {
    return switch (AuthHeader.parse(value)) {
      case AuthHeader.Result.Malformed(String reason) -> new Result.Malformed(reason);
      case AuthHeader.Result.Parsed(AuthHeader header) ->
          header.isDigest() ? of(header) : new Result.OtherScheme(header.scheme());
    };
  }

  /** The nonce count as a number; 0 without one. */
  public long nonceCount() {
    return nc.map(digits -> Long.parseLong(digits, 16)).orElse(0L);
  }

  /** The header field value. */
  public String toHeaderValue() {
    var text = new StringBuilder(256).append("Digest ");
    AuthHeader.appendQuoted(text, "username", username);
    AuthHeader.appendQuoted(text.append(", "), "realm", realm);
    AuthHeader.appendQuoted(text.append(", "), "nonce", nonce);
    AuthHeader.appendQuoted(text.append(", "), "uri", uri);
    AuthHeader.appendQuoted(text.append(", "), "response", response);
    text.append(", algorithm=").append(algorithm);
    cnonce.ifPresent(value -> AuthHeader.appendQuoted(text.append(", "), "cnonce", value));
    opaque.ifPresent(value -> AuthHeader.appendQuoted(text.append(", "), "opaque", value));
    qop.ifPresent(value -> text.append(", qop=").append(value));
    nc.ifPresent(value -> text.append(", nc=").append(value));
    return text.toString();
  }

  private static Result of(AuthHeader header) {
    for (String name : new String[] {"username", "realm", "nonce", "uri", "response"}) {
      if (header.param(name).isEmpty()) {
        return new Result.Malformed("no " + name + " parameter");
      }
    }
    Optional<String> qop = header.param("qop");
    Optional<String> nc = header.param("nc");
    Optional<String> cnonce = header.param("cnonce");
    // RFC 7616 3.4: cnonce and nc MUST be there when qop is.
    if (qop.isPresent() && (nc.isEmpty() || cnonce.isEmpty())) {
      return new Result.Malformed("qop without nc and cnonce");
    }
    if (nc.isPresent() && !isCount(nc.get())) {
      return new Result.Malformed("nc must be eight hexadecimal digits");
    }
    return new Result.Parsed(
        new DigestCredentials(
            header.required("username"),
            header.required("realm"),
            header.required("nonce"),
            header.required("uri"),
            header.required("response"),
            header.param("algorithm").filter(token -> !token.isEmpty()).orElse("MD5"),
            qop,
            nc,
            cnonce,
            header.param("opaque"),
            header.param("userhash").filter("true"::equalsIgnoreCase).isPresent()));
  }

  private static boolean isCount(String text) {
    if (text.length() != 8) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F')) {
        return false;
      }
    }
    return true;
  }
}
