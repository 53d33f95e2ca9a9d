package io.sippbx.benchmarks.phone;

import io.sippbx.benchmarks.phone.SipText.Field;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A phone's answer to a challenge (RFC 7616, RFC 8760), with quality of protection. */
final class Digest {

  private static final Pattern PARAMETER = Pattern.compile("(\\w+)=(?:\"([^\"]*)\"|([^,\\s]+))");

  private Digest() {}

  /**
   * The field that proves who asks; nothing if no challenge is one that a phone can answer.
   *
   * @param response 401 or 407
   * @param clientNonce unlike every earlier one
   */
  static Optional<Field> answer(
      SipText response,
      String method,
      String uri,
      String user,
      String password,
      String clientNonce) {
    boolean proxy = response.status() == 407;
    for (Field each : response.all(proxy ? "Proxy-Authenticate" : "WWW-Authenticate")) {
      String algorithm = parameter(each.value(), "algorithm").orElse("MD5");
      Optional<String> nonce = parameter(each.value(), "nonce");
      Optional<String> realm = parameter(each.value(), "realm");
      if (!algorithm.equalsIgnoreCase("SHA-256") && !algorithm.equalsIgnoreCase("MD5")
          || nonce.isEmpty()
          || realm.isEmpty()) {
        continue;
      }
      String first = hash(algorithm, user + ":" + realm.get() + ":" + password);
      String second = hash(algorithm, method + ":" + uri);
      String proof =
          hash(
              algorithm,
              first + ":" + nonce.get() + ":00000001:" + clientNonce + ":auth:" + second);
      String opaque =
          parameter(each.value(), "opaque").map(value -> ", opaque=\"" + value + "\"").orElse("");
      return Optional.of(
          new Field(
              proxy ? "Proxy-Authorization" : "Authorization",
              String.format(
                  Locale.ROOT,
                  "Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\","
                      + " algorithm=%s, qop=auth, nc=00000001, cnonce=\"%s\"%s",
                  user,
                  realm.get(),
                  nonce.get(),
                  uri,
                  proof,
                  algorithm,
                  clientNonce,
                  opaque)));
    }
    return Optional.empty();
  }

  private static Optional<String> parameter(String challenge, String name) {
    Matcher matcher = PARAMETER.matcher(challenge);
    while (matcher.find()) {
      if (matcher.group(1).equalsIgnoreCase(name)) {
        String quoted = matcher.group(2);
        return Optional.of(quoted == null ? matcher.group(3) : quoted);
      }
    }
    return Optional.empty();
  }

  private static String hash(String algorithm, String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance(algorithm).digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("the JDK has " + algorithm, e);
    }
  }
}
