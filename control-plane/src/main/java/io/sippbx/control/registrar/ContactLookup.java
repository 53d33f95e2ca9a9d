package io.sippbx.control.registrar;

import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.Binding;
import io.sippbx.control.sip.message.SipUri;
import java.util.List;
import java.util.function.Consumer;

/** Tells where an address-of-record is to be reached. */
public interface ContactLookup {

  /** Asks; the answer comes later, exactly once, as a task of the loop. */
  void lookup(Aor aor, Consumer<LookupAnswer> answer);

  /** The answer. */
  sealed interface LookupAnswer {

    /** Contacts, the best first: by q, then the one that was registered last. Not empty. */
    record Found(List<RegisteredContact> contacts) implements LookupAnswer {
      /** Copies {@code contacts} and refuses an empty list. */
      public Found {
        contacts = List.copyOf(contacts);
        if (contacts.isEmpty()) {
          throw new IllegalArgumentException("Expected contacts, but got none");
        }
      }
    }

    /** Nothing is registered that can be called. */
    record NotRegistered() implements LookupAnswer {}

    /** The store does not answer. */
    record Unavailable(String detail) implements LookupAnswer {}
  }

  /**
   * A contact that can be called.
   *
   * @param uri for the Request-URI, as registered
   * @param binding how to get there ({@link Binding#reach}: the {@link Binding#path} as route set,
   *     the {@link Binding#flow}, or the URI), and the device
   */
  record RegisteredContact(SipUri uri, Binding binding) {}
}
