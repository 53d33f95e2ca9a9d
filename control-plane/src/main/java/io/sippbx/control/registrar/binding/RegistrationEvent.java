package io.sippbx.control.registrar.binding;

/**
 * Something that happened to a binding, told once the record that says so is committed.
 *
 * @param binding as it is now, or as it was when it went
 */
public record RegistrationEvent(Kind kind, Aor aor, Binding binding) {

  /** What happened. */
  public enum Kind {
    /** The contact is new. */
    REGISTERED,
    /** The contact was known and has been written again. */
    REFRESHED,
    /** The contact was taken out by a request. */
    REMOVED,
    /** The time of the contact is over. Told when somebody next touches the record. */
    EXPIRED
  }
}
