package io.sippbx.control.sip.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;

/**
 * A hash function of digest authentication; declared from the strongest to the weakest.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc8760#section-2.2">RFC 8760 2.2</a>
 */
public enum DigestAlgorithm {
  /** SHA-512 truncated to 256 bits. */
  SHA_512_256("SHA-512-256", "SHA-512/256", 64),
  /** SHA-256, which every implementation of RFC 8760 has. */
  SHA_256("SHA-256", "SHA-256", 64),
  /** MD5, which is all that RFC 3261 knows. */
  MD5("MD5", "MD5", 32);

  private static final HexFormat HEX = HexFormat.of();

  private final String token;
  private final String jcaName;
  private final int hexLength;

  DigestAlgorithm(String token, String jcaName, int hexLength) {
    this.token = token;
    this.jcaName = jcaName;
    this.hexLength = hexLength;
  }

  /** As it stands in the {@code algorithm} parameter. */
  public String token() {
    return token;
  }

  /** Hexadecimal digits of a hash. */
  public int hexLength() {
    return hexLength;
  }

  /** The algorithm of this token, whatever its case; none for the {@code -sess} variants. */
  public static Optional<DigestAlgorithm> ofToken(String token) {
    String wanted = token.toUpperCase(Locale.ROOT);
    for (DigestAlgorithm algorithm : values()) {
      if (algorithm.token.equals(wanted)) {
        return Optional.of(algorithm);
      }
    }
    return Optional.empty();
  }

  /** The hash of the text in UTF-8, in lower-case hexadecimal digits. */
  public String hash(String text) {
    return hash(text.getBytes(StandardCharsets.UTF_8));
  }

  /** The hash of the octets, in lower-case hexadecimal digits. */
  public String hash(byte[] octets) {
    try {
      return HEX.formatHex(MessageDigest.getInstance(jcaName).digest(octets));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Expected a JDK with " + jcaName + ", but it has none", e);
    }
  }
}
