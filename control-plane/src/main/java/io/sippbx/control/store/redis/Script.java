package io.sippbx.control.store.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A Lua script of {@code resources/lua}, run by its hash.
 *
 * @param sha1 forty hexadecimal digits
 */
record Script(String name, String text, String sha1) {

  static final Script COMMIT = load("commit");
  static final Script CLAIM_TIMERS = load("claim_timers");
  static final Script LIST_CALLS = load("list_calls");
  static final Script SET_ASIDE = load("set_aside");
  static final Script CLUSTER_META = load("cluster_meta");
  static final Script TAKE_LEASE = load("take_lease");
  static final Script COMMIT_REGISTRATION = load("commit_registration");
  static final Script CLAIM_EXPIRED = load("claim_expired");
  static final Script COUNT_REGISTRATIONS = load("count_registrations");

  static final Script BEAT = load("beat");
  static final Script CENSUS = load("census");
  static final Script LEAVE = load("leave");
  static final Script SWEPT = load("swept");
  static final Script KEEP = load("keep");

  private static Script load(String name) {
    String resource = "/lua/" + name + ".lua";
    try (InputStream in = Script.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("Expected " + resource + " in the build");
      }
      byte[] text = in.readAllBytes();
      return new Script(
          name,
          new String(text, UTF_8),
          HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(text)));
    } catch (IOException | NoSuchAlgorithmException e) {
      throw new IllegalStateException("Expected to read " + resource, e);
    }
  }
}
