package io.sippbx.event.webhook;

import io.sippbx.shared.config.Secret;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The header {@code webhook-signature}: by each secret HMAC-SHA256 of id, time and body, so that a
 * receiver that knows one of them believes it. Any thread.
 *
 * @see <a href="https://github.com/standard-webhooks/standard-webhooks">Standard Webhooks</a>
 */
public final class WebhookSignature {

  private static final String PREFIX = "whsec_";
  private static final String ALGORITHM = "HmacSHA256";

  private final List<SecretKeySpec> keys;

  /**
   * By these secrets.
   *
   * @param secrets {@code whsec_} and base64
   * @throws IllegalArgumentException if one is not
   */
  public WebhookSignature(List<Secret<String>> secrets) {
    var all = new ArrayList<SecretKeySpec>();
    for (Secret<String> each : secrets) {
      if (!each.value().startsWith(PREFIX)) {
        throw new IllegalArgumentException("Expected a secret that begins with " + PREFIX);
      }
      byte[] octets = Base64.getDecoder().decode(each.value().substring(PREFIX.length()));
      all.add(new SecretKeySpec(octets, ALGORITHM));
    }
    this.keys = List.copyOf(all);
  }

  /**
   * The header's value; empty without secrets.
   *
   * @param timestamp seconds since 1970, as in {@code webhook-timestamp}
   */
  public Optional<String> of(String id, long timestamp, byte[] body) {
    var signatures = new ArrayList<String>();
    for (SecretKeySpec key : keys) {
      try {
        Mac mac = Mac.getInstance(ALGORITHM);
        mac.init(key);
        mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
        signatures.add("v1," + Base64.getEncoder().encodeToString(mac.doFinal(body)));
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("every JDK has " + ALGORITHM, e);
      }
    }
    return signatures.isEmpty() ? Optional.empty() : Optional.of(String.join(" ", signatures));
  }
}
