package io.sippbx.app.demo;

import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.Tag;
import java.security.SecureRandom;
import java.util.HexFormat;

/** Names that nobody else has. Any thread. */
final class Tokens {

  private static final int BYTES = 8;

  private final SecureRandom random;

  Tokens(SecureRandom random) {
    this.random = random;
  }

  /** 64 random bits in hexadecimal. */
  String next() {
    var octets = new byte[BYTES];
    random.nextBytes(octets);
    return HexFormat.of().formatHex(octets);
  }

  /** For From and To; "at least 32 bits of randomness" (RFC 3261 19.3). */
  Tag tag() {
    return new Tag(next());
  }

  /** For a call, or for all registrations of a phone. */
  CallId callId(String phone) {
    return new CallId(next() + "-" + phone);
  }
}
