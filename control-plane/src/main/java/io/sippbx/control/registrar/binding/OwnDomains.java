package io.sippbx.control.registrar.binding;

import io.sippbx.control.sip.message.OtherUri;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.TelUri;
import io.sippbx.control.sip.message.Uri;
import java.util.List;
import java.util.Optional;

/**
 * The domains that the server answers for. They are names of one and the same set of users, so that
 * a phone that registers at the server's address is found by its name, and the other way round.
 *
 * @param names canonical hosts; empty: every domain is ours
 * @param canonical the host of all our addresses-of-record
 */
public record OwnDomains(List<String> names, String canonical) {

  /** Makes the hosts canonical and refuses an empty one. */
  public OwnDomains {
    if (canonical.isBlank() || names.stream().anyMatch(String::isBlank)) {
      throw new IllegalArgumentException("Expected domains, but got an empty one");
    }
    names = names.stream().map(Aor::canonicalHost).distinct().toList();
    canonical = Aor.canonicalHost(canonical);
  }

  /** Whether this host (a name or an address, as in a URI) is one of ours. */
  public boolean own(String host) {
    if (names.isEmpty()) {
      return true;
    }
    String wanted = Aor.canonicalHost(host);
    return wanted.equals(canonical) || names.contains(wanted);
  }

  /**
   * The address-of-record that a URI names: a SIP URI with a user in a domain of ours, whatever its
   * port and parameters, or a telephone number, whose digits are the user.
   */
  public Optional<Aor> aorOf(Uri uri) {
    return switch (uri) {
      case SipUri sip ->
          sip.userText()
              .filter(user -> !user.isEmpty() && own(sip.host()))
              .map(user -> new Aor(user, canonical));
      case TelUri tel ->
          tel.digits().isEmpty() ? Optional.empty() : Optional.of(new Aor(tel.digits(), canonical));
      case OtherUri other -> Optional.empty();
    };
  }
}
