package io.sippbx.control.registrar.binding;

import io.sippbx.control.sip.message.SipUri;
import io.sippbx.shared.net.IpAddress;
import java.util.Comparator;
import java.util.Locale;

/**
 * An address-of-record in canonical form: who is registered and who is called.
 *
 * @param user not empty, escapes undone, compared by case
 * @param host in lower case; an IPv6 address in brackets and in the form of RFC 5952
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-10.3">RFC 3261 10.3 step 5</a>
 */
public record Aor(String user, String host) implements Comparable<Aor> {

  private static final Comparator<Aor> ORDER =
      Comparator.comparing(Aor::user).thenComparing(Aor::host);

  /** Makes the host canonical. */
  public Aor {
    if (user.isEmpty()) {
      throw new IllegalArgumentException("Expected an address-of-record with a user");
    }
    if (host.isEmpty()) {
      throw new IllegalArgumentException("Expected an address-of-record with a host");
    }
    host = canonicalHost(host);
  }

  /** {@code sip:user@host}, escaped where needed. */
  public SipUri toUri() {
    return SipUri.of(user, host);
  }

  static String canonicalHost(String host) {
    return IpAddress.parse(host)
        .map(IpAddress::uriText)
        .orElseGet(() -> host.toLowerCase(Locale.ROOT));
  }

  @Override
  public int compareTo(Aor other) {
    return ORDER.compare(this, other);
  }

  /** The text of {@link #toUri}. */
  @Override
  public String toString() {
    return toUri().toString();
  }
}
