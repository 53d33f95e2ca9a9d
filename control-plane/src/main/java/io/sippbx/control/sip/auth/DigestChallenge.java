package io.sippbx.control.sip.auth;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a server sends in WWW-Authenticate or Proxy-Authenticate.
 *
 * @param algorithm the token as sent; MD5 where there was none
 * @param qop in the order of the server, in lower case; empty where it offers none (RFC 2069)
 * @see <a href="https://www.rfc-editor.org/rfc/rfc7616#section-3.3">RFC 7616 3.3</a>
 */
public record DigestChallenge(
    String realm,
    String nonce,
    String algorithm,
    List<String> qop,
    Optional<String> opaque,
    boolean stale) {

  /** Copies {@code qop}. */
  public DigestChallenge {
    qop = List.copyOf(qop);
  }

  /** What became of a header field value. */
  public sealed interface Result {
    /** A digest challenge. */
    record Parsed(DigestChallenge challenge) implements Result {}

    /** A challenge of another scheme. */
    record OtherScheme(String scheme) implements Result {}

    /** Neither. */
    record Malformed(String reason) implements Result {}
  }

  /** Reads the value of a WWW-Authenticate or Proxy-Authenticate header field. Never throws. */
  public static Result parse(String value) {
    return switch (AuthHeader.parse(value)) {
      case AuthHeader.Result.Malformed(String reason) -> new Result.Malformed(reason);
      case AuthHeader.Result.Parsed(AuthHeader header) ->
          header.isDigest() ? of(header) : new Result.OtherScheme(header.scheme());
    };
  }

  /** The header field value. */
  public String toHeaderValue() {
    var text = new StringBuilder(160).append("Digest ");
    AuthHeader.appendQuoted(text, "realm", realm);
    AuthHeader.appendQuoted(text.append(", "), "nonce", nonce);
    text.append(", algorithm=").append(algorithm);
    if (!qop.isEmpty()) {
      AuthHeader.appendQuoted(text.append(", "), "qop", String.join(",", qop));
    }
    opaque.ifPresent(value -> AuthHeader.appendQuoted(text.append(", "), "opaque", value));
    if (stale) {
      text.append(", stale=true");
    }
    return text.toString();
  }

  private static Result of(AuthHeader header) {
    if (header.param("realm").isEmpty() || header.param("nonce").isEmpty()) {
      return new Result.Malformed("no realm or no nonce");
    }
    var qop = new ArrayList<String>();
    for (String each : header.param("qop").orElse("").split(",", -1)) {
      String token = each.strip().toLowerCase(Locale.ROOT);
      if (!token.isEmpty()) {
        qop.add(token);
      }
    }
    return new Result.Parsed(
        new DigestChallenge(
            header.required("realm"),
            header.required("nonce"),
            header.param("algorithm").filter(token -> !token.isEmpty()).orElse("MD5"),
            qop,
            header.param("opaque"),
            header.param("stale").filter("true"::equalsIgnoreCase).isPresent()));
  }
}
