package io.sippbx.system;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Users with passwords. */
final class Passwords {

  private static final String DEFAULT_REALM = "sip-pbx";

  private Passwords() {}

  static String of(String user) {
    return "secret-of-" + user;
  }

  /**
   * Lines for the section {@code sip}. sipp reads the first challenge only, and it and baresip know
   * MD5 only: with hashes for MD5 alone there is no other challenge.
   */
  static String[] users(String... users) {
    var lines = new ArrayList<String>(List.of("users:"));
    for (String user : users) {
      lines.add("  - {username: " + user + ", ha1_md5: " + ha1(user) + "}");
    }
    return lines.toArray(String[]::new);
  }

  private static String ha1(String user) {
    try {
      byte[] text = (user + ":" + DEFAULT_REALM + ":" + of(user)).getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(text));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Expected the JDK to have MD5, but", e);
    }
  }
}
