package io.sippbx.control.sip.transport;

import io.sippbx.control.sip.message.NameAddr;
import java.util.Optional;

/**
 * A registered phone: where it is at the moment is in its registration.
 *
 * @param user of the address-of-record that it is registered for
 * @param host of that address-of-record
 * @param instance which of the devices that share it, if it has told ({@code +sip.instance})
 * @see <a href="https://www.rfc-editor.org/rfc/rfc5626#section-4.1">RFC 5626 4.1</a>
 */
public record Device(String user, String host, Optional<String> instance) {

  /** Refuses what names nobody. */
  public Device {
    if (user.isEmpty() || host.isEmpty()) {
      throw new IllegalArgumentException(
          "Expected a user and a host, but got '" + user + "' and '" + host + "'");
    }
  }

  /** The {@code +sip.instance} of a Contact, without its angle brackets. */
  public static Optional<String> instanceOf(NameAddr contact) {
    return contact
        .params()
        .get("+sip.instance")
        .map(
            text ->
                text.startsWith("<") && text.endsWith(">")
                    ? text.substring(1, text.length() - 1)
                    : text);
  }
}
