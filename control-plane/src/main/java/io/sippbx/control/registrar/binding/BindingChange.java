package io.sippbx.control.registrar.binding;

/**
 * Something that happened to a binding, told once the record that says so is committed.
 *
 * @param binding as it is now, or as it was when it went
 * @param seq of the event that tells of it: greater than that of any before it; 0: nobody is told
 */
public record BindingChange(Kind kind, Aor aor, Binding binding, long seq) {

  /** What happened. */
  public enum Kind {
    /** The contact is new. */
    REGISTERED,
    /** The contact was known and lasts longer, which is not told: nothing else is new. */
    REFRESHED,
    /** The contact was known and is reached in another way now. */
    MOVED,
    /** The contact was taken out by a request. */
    REMOVED,
    /** The time of the contact is over. Told by a keeper, or by a request that comes before it. */
    EXPIRED
  }

  /** Whether there is an event of it. */
  public boolean isTold() {
    return seq > 0;
  }
}
