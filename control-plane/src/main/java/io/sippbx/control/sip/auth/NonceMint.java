package io.sippbx.control.sip.auth;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Makes nonces and knows its own again, without a table: any node with the same secret can check a
 * nonce of another.
 *
 * <pre>
 * nonce = base64url( issued at, ms (8 octets) | salt (8) | first 16 octets of
 *                    HMAC-SHA256(key, issued at | salt | realm) )
 * key   = HMAC-SHA256(cluster secret, "sip-pbx digest nonce 1")
 * salt  = first 8 octets of HMAC-SHA256(key, what is particular to the challenged request)
 * </pre>
 *
 * The salt parts the nonces of requests that are challenged in the same millisecond, so that each
 * client has a count of its own. Immutable, for any thread.
 */
public final class NonceMint {

  private static final int SALT_BYTES = 8;
  private static final int SIGNED_BYTES = Long.BYTES + SALT_BYTES;
  private static final int MAC_BYTES = 16;
  private static final int NONCE_BYTES = SIGNED_BYTES + MAC_BYTES;

  /** Characters of a nonce. */
  public static final int NONCE_LENGTH = (NONCE_BYTES * 4 + 2) / 3;

  /** Clocks of two nodes may differ by this much. */
  private static final Duration CLOCK_SKEW = Duration.ofSeconds(30);

  private final byte[] key;
  private final byte[] realm;
  private final Duration lifetime;

  /**
   * @param clusterSecret the same on every node; copied
   * @param lifetime from when on a nonce is stale
   */
  public NonceMint(byte[] clusterSecret, String realm, Duration lifetime) {
    if (clusterSecret.length == 0) {
      throw new IllegalArgumentException("Expected a cluster secret, but got an empty one");
    }
    if (lifetime.compareTo(Duration.ofSeconds(1)) < 0) {
      throw new IllegalArgumentException("Expected a lifetime of 1 s or more, but got " + lifetime);
    }
    this.key = hmac(clusterSecret, "sip-pbx digest nonce 1".getBytes(StandardCharsets.US_ASCII));
    this.realm = realm.getBytes(StandardCharsets.UTF_8);
    this.lifetime = lifetime;
  }

  /** What a nonce turns out to be. */
  public sealed interface Verdict {
    /** Ours and fresh. */
    record Fresh(long nonceId, Instant issuedAt, Instant expiresAt) implements Verdict {}

    /** Ours and too old, or from a clock that is far ahead. */
    record Expired() implements Verdict {}

    /** Not ours. */
    record Forged() implements Verdict {}
  }

  /**
   * A nonce for a challenge.
   *
   * @param particular what tells the challenged request from others: Call-ID, CSeq, branch, source
   */
  public String mint(Instant now, String particular) {
    var octets = ByteBuffer.allocate(NONCE_BYTES);
    octets.putLong(now.toEpochMilli());
    octets.put(hmac(key, particular.getBytes(StandardCharsets.UTF_8)), 0, SALT_BYTES);
    octets.put(signature(octets.array()), 0, MAC_BYTES);
    return encode(octets.array());
  }

  /** Whether a nonce is ours, and whether it is fresh. Never throws. */
  public Verdict check(String nonce, Instant now) {
    if (nonce.length() != NONCE_LENGTH) {
      return new Verdict.Forged();
    }
    byte[] octets;
    try {
      octets = Base64.getUrlDecoder().decode(nonce);
    } catch (IllegalArgumentException notBase64) {
      return new Verdict.Forged();
    }
    // The last character has two bits to spare: one nonce is one text.
    if (!encode(octets).equals(nonce)) {
      return new Verdict.Forged();
    }
    byte[] mac = Arrays.copyOfRange(octets, SIGNED_BYTES, NONCE_BYTES);
    if (!MessageDigest.isEqual(mac, Arrays.copyOf(signature(octets), MAC_BYTES))) {
      return new Verdict.Forged();
    }
    // Signed, so the time is one that this cluster wrote and in range.
    Instant issuedAt = Instant.ofEpochMilli(ByteBuffer.wrap(octets).getLong());
    Instant expiresAt = issuedAt.plus(lifetime);
    if (!now.isBefore(expiresAt) || issuedAt.isAfter(now.plus(CLOCK_SKEW))) {
      return new Verdict.Expired();
    }
    return new Verdict.Fresh(ByteBuffer.wrap(mac).getLong(), issuedAt, expiresAt);
  }

  private byte[] signature(byte[] nonce) {
    byte[] signed = Arrays.copyOf(nonce, SIGNED_BYTES + realm.length);
    System.arraycopy(realm, 0, signed, SIGNED_BYTES, realm.length);
    return hmac(key, signed);
  }

  private static String encode(byte[] octets) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(octets);
  }

  private static byte[] hmac(byte[] key, byte[] text) {
    try {
      var mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return mac.doFinal(text);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Expected a JDK with HmacSHA256, but it has none", e);
    }
  }
}
