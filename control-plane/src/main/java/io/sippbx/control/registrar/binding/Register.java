package io.sippbx.control.registrar.binding;

import io.sippbx.control.sip.auth.NonceUse;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.identity.Sha256;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a REGISTER says, as far as it matters to its address-of-record.
 *
 * @param aor the one of the To header field
 * @param expires the Expires header field, in seconds
 * @param vias topmost first; say whether the sender is behind a NAT
 * @param userAgent empty without one
 * @param nonce what its credentials used up, if it had to have some
 */
public record Register(
    Aor aor,
    CallId callId,
    long cSeq,
    Contacts contacts,
    OptionalLong expires,
    List<NameAddr> path,
    List<Via> vias,
    Flow flow,
    String userAgent,
    Optional<NonceUse> nonce) {

  /** Copies the lists. */
  public Register {
    path = List.copyOf(path);
    vias = List.copyOf(vias);
  }

  /** What the Contact header fields are. */
  public sealed interface Contacts {
    /** There are none: the request asks what is registered. */
    record None() implements Contacts {}

    /** {@code *}: all of them. */
    record Wildcard() implements Contacts {}

    /** One or more. */
    record Some(List<NameAddr> list) implements Contacts {
      /** Copies {@code list} and refuses an empty one. */
      public Some {
        list = List.copyOf(list);
        if (list.isEmpty()) {
          throw new IllegalArgumentException("Expected a contact, but got none");
        }
      }
    }
  }

  /**
   * A number that is the same for two requests exactly if they ask for the same, but for the odds
   * of 64 bits. Credentials do not count.
   */
  long fingerprint() {
    MessageDigest hash = Sha256.digest();
    switch (contacts) {
      case Contacts.None none -> add(hash, "none");
      case Contacts.Wildcard wildcard -> add(hash, "*");
      case Contacts.Some(List<NameAddr> list) ->
          list.forEach(contact -> add(hash, "contact " + contact));
    }
    add(hash, "expires " + expires);
    path.forEach(hop -> add(hash, "path " + hop));
    return ByteBuffer.wrap(hash.digest()).getLong();
  }

  private static void add(MessageDigest hash, String text) {
    byte[] octets = text.getBytes(StandardCharsets.UTF_8);
    hash.update(ByteBuffer.allocate(Integer.BYTES).putInt(octets.length).flip());
    hash.update(octets);
  }
}
