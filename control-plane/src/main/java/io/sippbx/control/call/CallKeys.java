package io.sippbx.control.call;

import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.shared.identity.CallKey;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Derives the key of a call from the caller's INVITE, and thereby from each repeat of it, its
 * CANCEL and the ACK of its failure: any node finds the same key with no look-up (law 1).
 *
 * <p>HMAC-SHA256 under the cluster's secret over Call-ID, From tag, CSeq number and Request-URI,
 * each preceded by its length; the first 128 bits count. An instance belongs to one thread.
 */
public final class CallKeys {

  private static final String ALGORITHM = "HmacSHA256";

  private final Mac mac;

  /**
   * @param clusterSecret the same on all nodes, at least 16 octets
   */
  public CallKeys(byte[] clusterSecret) {
    if (clusterSecret.length < 16) {
      throw new IllegalArgumentException(
          "Expected a cluster secret of 16 octets or more, but got " + clusterSecret.length);
    }
    try {
      mac = Mac.getInstance(ALGORITHM);
      mac.init(new SecretKeySpec(clusterSecret, ALGORITHM));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Expected the JDK to have " + ALGORITHM + ", but", e);
    }
  }

  /** The key of the call that {@code request} would set up, or belongs to. */
  public CallKey derive(SipRequest request) {
    add(octets(request.callId().value()));
    add(octets(request.fromTag().map(Tag::value).orElse("")));
    add(octets(Long.toString(request.cSeq().number())));
    add(request.uriBytes());
    return CallKey.ofBytes(mac.doFinal());
  }

  private static byte[] octets(String part) {
    return part.getBytes(StandardCharsets.UTF_8);
  }

  private void add(byte[] octets) {
    mac.update((byte) (octets.length >>> 24));
    mac.update((byte) (octets.length >>> 16));
    mac.update((byte) (octets.length >>> 8));
    mac.update((byte) octets.length);
    mac.update(octets);
  }
}
