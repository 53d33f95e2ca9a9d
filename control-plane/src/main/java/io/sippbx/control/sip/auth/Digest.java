package io.sippbx.control.sip.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

/**
 * The arithmetic of digest authentication.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc7616#section-3.4.1">RFC 7616 3.4.1</a>
 */
public final class Digest {

  private Digest() {}

  /** H(A1) of a password: what a server may store in place of it, good for one realm. */
  public static String ha1(
      DigestAlgorithm algorithm, String username, String realm, String password) {
    return algorithm.hash(username + ":" + realm + ":" + password);
  }

  /** H(A1) of the {@code -sess} variants. */
  public static String sessionHa1(
      DigestAlgorithm algorithm, String ha1, String nonce, String cnonce) {
    return algorithm.hash(ha1 + ":" + nonce + ":" + cnonce);
  }

  /** H(A2) for {@code qop=auth} and for no qop. */
  public static String ha2(DigestAlgorithm algorithm, String method, String uri) {
    return algorithm.hash(method + ":" + uri);
  }

  /** The response where there is a qop; {@code nc} are the eight digits as sent. */
  public static String response(
      DigestAlgorithm algorithm,
      String ha1,
      String nonce,
      String nc,
      String cnonce,
      String qop,
      String ha2) {
    return algorithm.hash(ha1 + ":" + nonce + ":" + nc + ":" + cnonce + ":" + qop + ":" + ha2);
  }

  /** The response where the challenge had no qop (RFC 2069). */
  public static String responseWithoutQop(
      DigestAlgorithm algorithm, String ha1, String nonce, String ha2) {
    return algorithm.hash(ha1 + ":" + nonce + ":" + ha2);
  }

  /** Whether both are the same but for the case of letters, in a time that does not tell where. */
  static boolean sameHex(String expected, String actual) {
    return MessageDigest.isEqual(octets(expected), octets(actual));
  }

  private static byte[] octets(String hex) {
    byte[] octets = hex.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < octets.length; i++) {
      if (octets[i] >= 'A' && octets[i] <= 'F') {
        octets[i] = (byte) (octets[i] - 'A' + 'a');
      }
    }
    return octets;
  }
}
