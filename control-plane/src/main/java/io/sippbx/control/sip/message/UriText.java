package io.sippbx.control.sip.message;

import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Checks of the parts of a SIP URI, and what makes two of them the same. */
final class UriText {

  /** The longest name of a host (RFC 1035 2.3.4). */
  static final int MAX_HOST = 255;

  private UriText() {}

  static void checkHost(String host) {
    // Names and IPv4 addresses, which come with every message, need no scan of their own.
    if (host.length() <= MAX_HOST && Chars.all(host, Chars.HOST) && host.charAt(0) != '.') {
      return;
    }
    byte[] octets = Text.bytes(host);
    var spans = new Spans();
    if (UriSyntax.hostPort(octets, 0, octets.length, spans, false) != octets.length
        || spans.hostEnd != octets.length) {
      throw new IllegalArgumentException("Expected a host, but got " + host);
    }
  }

  static void checkAll(Params params, int flags, boolean header) {
    for (Params.Param param : params.list()) {
      String value = param.value();
      if (!isAll(param.name(), flags, false)
          || (value == null ? header : !isAll(value, flags, header))) {
        throw new IllegalArgumentException("Expected an escaped URI parameter, but got " + param);
      }
    }
  }

  private static boolean isAll(String text, int flags, boolean mayBeEmpty) {
    byte[] octets = Text.bytes(text);
    return (mayBeEmpty || octets.length > 0)
        && Chars.skipEscaped(octets, 0, octets.length, flags) == octets.length;
  }

  /**
   * RFC 3261 19.1.4: user and password by case, all else without; an escape is the character; a
   * port or one of user, ttl, method, maddr and transport must be in both or in none; other
   * parameters count when they are in both; headers are all in both.
   */
  static boolean equivalent(SipUri a, SipUri b) {
    return a.secure() == b.secure()
        && normal(a.user()).equals(normal(b.user()))
        && normal(a.password()).equals(normal(b.password()))
        && sameHost(a, b)
        && a.port().equals(b.port())
        && sameParams(a.params(), b.params())
        && sameSet(a.headers(), b.headers());
  }

  private static boolean sameHost(SipUri a, SipUri b) {
    return a.host().equalsIgnoreCase(b.host())
        || a.host().startsWith("[") && b.host().startsWith("[") && a.hostIp().equals(b.hostIp());
  }

  private static Optional<String> normal(Optional<String> text) {
    return text.map(UriText::normalEscapes);
  }

  private static boolean sameParams(Params a, Params b) {
    return agree(a, b) && agree(b, a);
  }

  /** Whether each parameter of {@code a} allows those of {@code b}; of a name the first counts. */
  private static boolean agree(Params a, Params b) {
    for (Params.Param param : a.list()) {
      Params.Param first = a.find(param.name());
      Params.Param other = b.find(param.name());
      if (first != null
          && (other == null
              ? mustBeInBoth(param.name())
              : !sameValue(first.value(), other.value()))) {
        return false;
      }
    }
    return true;
  }

  private static boolean mustBeInBoth(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "user", "ttl", "method", "maddr", "transport" -> true;
      default -> false;
    };
  }

  /** The same names and values in any order; a name may come more than once. */
  static boolean sameSet(Params a, Params b) {
    return a.list().size() == b.list().size() && hasAll(a, b) && hasAll(b, a);
  }

  private static boolean hasAll(Params a, Params b) {
    for (Params.Param param : b.list()) {
      if (!has(a, param)) {
        return false;
      }
    }
    return true;
  }

  private static boolean has(Params params, Params.Param wanted) {
    for (Params.Param param : params.list()) {
      if (param.name().equalsIgnoreCase(wanted.name())
          && sameValue(param.value(), wanted.value())) {
        return true;
      }
    }
    return false;
  }

  private static boolean sameValue(@Nullable String a, @Nullable String b) {
    return a == null || b == null
        ? a == null && b == null
        : normalEscapes(a).equalsIgnoreCase(normalEscapes(b));
  }

  /** Escapes of characters that need none undone, the others in upper case. */
  static String normalEscapes(String text) {
    if (text.indexOf('%') < 0) {
      return text;
    }
    var out = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '%' || i + 2 >= text.length()) {
        out.append(c);
        continue;
      }
      int value = Chars.hex(text.charAt(i + 1)) << 4 | Chars.hex(text.charAt(i + 2));
      if (value > 0x20 && value < 0x7f && isUnreserved((char) value)) {
        out.append((char) value);
      } else {
        out.append('%').append(text.substring(i + 1, i + 3).toUpperCase(Locale.ROOT));
      }
      i += 2;
    }
    return out.toString();
  }

  private static boolean isUnreserved(char c) {
    return Character.isLetterOrDigit(c) || "-_.!~*'()#".indexOf(c) >= 0;
  }
}
