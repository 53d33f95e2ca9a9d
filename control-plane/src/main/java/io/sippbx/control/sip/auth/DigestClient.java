package io.sippbx.control.sip.auth;

import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.Uri;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The client's side: answers a challenge. Pure.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-22.3">RFC 3261 22.2, 22.3</a>
 */
public final class DigestClient {

  private DigestClient() {}

  /**
   * A name and a password for a server.
   *
   * @param password not shown by {@link #toString}
   */
  public record Login(String username, String password) {
    @Override
    public String toString() {
      return "Login[" + username + "]";
    }
  }

  /**
   * The challenge to answer: among those of one response, the one with the strongest algorithm that
   * is known here. Empty if none can be answered.
   *
   * @param values of WWW-Authenticate or Proxy-Authenticate; what is malformed or of another scheme
   *     is passed over
   */
  public static Optional<DigestChallenge> choose(List<String> values) {
    DigestChallenge best = null;
    for (String value : values) {
      if (DigestChallenge.parse(value)
              instanceof DigestChallenge.Result.Parsed(DigestChallenge challenge)
          && canAnswer(challenge)
          && (best == null || strength(challenge).compareTo(strength(best)) < 0)) {
        best = challenge;
      }
    }
    return Optional.ofNullable(best);
  }

  /**
   * The value of Authorization (for a 401) or Proxy-Authorization (for a 407).
   *
   * @param challenge one that {@link #choose} gave
   * @param method of the request that is to be sent again
   * @param uri its Request-URI, as it is sent
   * @param cnonce random text of the client
   * @param count uses of this nonce so far, this one included: from 1
   * @throws IllegalArgumentException for a challenge that cannot be answered
   */
  public static String authorize(
      DigestChallenge challenge, Login login, Method method, Uri uri, String cnonce, long count) {
    if (!canAnswer(challenge)) {
      throw new IllegalArgumentException("Expected a known challenge, but got " + challenge);
    }
    if (count < 1 || count > 0xffff_ffffL) {
      throw new IllegalArgumentException("Expected a count from 1 to 2^32-1, but got " + count);
    }
    DigestAlgorithm algorithm = algorithm(challenge).orElseThrow();
    String ha1 = Digest.ha1(algorithm, login.username(), challenge.realm(), login.password());
    if (isSession(challenge)) {
      ha1 = Digest.sessionHa1(algorithm, ha1, challenge.nonce(), cnonce);
    }
    Optional<String> qop = qop(challenge);
    String ha2 = Digest.ha2(algorithm, method.name(), uri.toString());
    String nc = String.format(Locale.ROOT, "%08x", count);
    String response =
        qop.isPresent()
            ? Digest.response(algorithm, ha1, challenge.nonce(), nc, cnonce, qop.get(), ha2)
            : Digest.responseWithoutQop(algorithm, ha1, challenge.nonce(), ha2);
    boolean withCnonce = qop.isPresent() || isSession(challenge);
    return new DigestCredentials(
            login.username(),
            challenge.realm(),
            challenge.nonce(),
            uri.toString(),
            response,
            challenge.algorithm(),
            qop,
            qop.map(used -> nc),
            withCnonce ? Optional.of(cnonce) : Optional.empty(),
            challenge.opaque(),
            false)
        .toHeaderValue();
  }

  private static boolean canAnswer(DigestChallenge challenge) {
    return algorithm(challenge).isPresent()
        && (challenge.qop().isEmpty() || qop(challenge).isPresent());
  }

  /** The lesser is the stronger. */
  private static DigestAlgorithm strength(DigestChallenge challenge) {
    return algorithm(challenge).orElseThrow();
  }

  private static boolean isSession(DigestChallenge challenge) {
    return challenge.algorithm().toLowerCase(Locale.ROOT).endsWith("-sess");
  }

  private static Optional<DigestAlgorithm> algorithm(DigestChallenge challenge) {
    String token = challenge.algorithm();
    return DigestAlgorithm.ofToken(
        isSession(challenge) ? token.substring(0, token.length() - "-sess".length()) : token);
  }

  /** {@code auth} where the server has it; a challenge with auth-int alone is not answered. */
  private static Optional<String> qop(DigestChallenge challenge) {
    return challenge.qop().contains("auth") ? Optional.of("auth") : Optional.empty();
  }
}
