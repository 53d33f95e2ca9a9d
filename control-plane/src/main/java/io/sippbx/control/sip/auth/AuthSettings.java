package io.sippbx.control.sip.auth;

import java.time.Duration;
import java.util.List;

/**
 * How the server asks who somebody is.
 *
 * @param realm what phones show and hash; usually the domain
 * @param algorithms that may be offered, in the order of the challenges: strongest first, since a
 *     client takes the first that it knows (RFC 8760 2.4)
 * @param nonceLifetime from when on a nonce is stale: what bounds a replay at another node
 * @param noncesRemembered by a node for requests that leave no record
 */
public record AuthSettings(
    String realm, List<DigestAlgorithm> algorithms, Duration nonceLifetime, int noncesRemembered) {

  /** SHA-256 then MD5, nonces good for 5 minutes, 100,000 of them remembered. */
  public static AuthSettings of(String realm) {
    return new AuthSettings(
        realm,
        List.of(DigestAlgorithm.SHA_256, DigestAlgorithm.MD5),
        Duration.ofMinutes(5),
        100_000);
  }

  /** Copies {@code algorithms} and refuses what cannot work. */
  public AuthSettings {
    algorithms = List.copyOf(algorithms);
    if (realm.isBlank()) {
      throw new IllegalArgumentException("Expected a realm, but got an empty one");
    }
    if (algorithms.isEmpty() || algorithms.stream().distinct().count() < algorithms.size()) {
      throw new IllegalArgumentException("Expected algorithms, each once, but got " + algorithms);
    }
    if (nonceLifetime.compareTo(Duration.ofSeconds(1)) < 0) {
      throw new IllegalArgumentException(
          "Expected a nonce lifetime of 1 s or more, but got " + nonceLifetime);
    }
    if (noncesRemembered < 1) {
      throw new IllegalArgumentException(
          "Expected 1 nonce or more to be remembered, but got " + noncesRemembered);
    }
  }
}
