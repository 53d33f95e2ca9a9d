package io.sippbx.benchmarks.phone;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Cuts the octets of a connection into messages (RFC 3261 18.3). */
final class Framing {

  private static final int MOST = 1 << 18;
  private static final Pattern LENGTH =
      Pattern.compile("\r\nContent-Length *: *(\\d+)", Pattern.CASE_INSENSITIVE);

  private byte[] held = new byte[0];

  /** Adds what was read. */
  void add(ByteBuffer octets) {
    if (held.length + octets.remaining() > MOST) {
      throw new IllegalStateException("Expected " + MOST + " octets half read at most");
    }
    int before = held.length;
    held = Arrays.copyOf(held, before + octets.remaining());
    octets.get(held, before, held.length - before);
  }

  /** The next whole message. */
  Optional<SipText> next() {
    int start = 0;
    // Keep-alives of RFC 5626.
    while (start < held.length && (held[start] == '\r' || held[start] == '\n')) {
      start++;
    }
    held = Arrays.copyOfRange(held, start, held.length);
    String text = new String(held, StandardCharsets.ISO_8859_1);
    int end = text.indexOf("\r\n\r\n");
    if (end < 0) {
      return Optional.empty();
    }
    Matcher length = LENGTH.matcher(text).region(0, end);
    int total = end + 4 + (length.find() ? Integer.parseInt(length.group(1)) : 0);
    if (held.length < total) {
      return Optional.empty();
    }
    SipText message = SipText.parse(Arrays.copyOf(held, total));
    held = Arrays.copyOfRange(held, total, held.length);
    return Optional.of(message);
  }
}
