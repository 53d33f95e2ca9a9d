package io.sippbx.control.registrar.binding;

import java.util.List;
import java.util.OptionalLong;

/** What the registrar decides. */
public sealed interface Outcome {

  /**
   * 200, once {@code next} is committed.
   *
   * @param next the record; its bindings are what the answer lists
   * @param changed whether there is anything to commit
   * @param changes to be told once it is committed
   */
  record Accepted(Registration next, boolean changed, List<BindingChange> changes)
      implements Outcome {
    /** Copies {@code changes}. */
    public Accepted {
      changes = List.copyOf(changes);
    }
  }

  /**
   * A refusal. Nothing is committed.
   *
   * @param minExpires seconds, with a 423
   */
  record Refused(Refusal why, OptionalLong minExpires) implements Outcome {}

  /** The credentials are right and not new: to be challenged with stale=true. */
  record NonceReused() implements Outcome {}

  /** Why a REGISTER is refused; a closed list, fit for a metric's label. */
  enum Refusal {
    /** {@code *} without Expires: 0. */
    WILDCARD_WITHOUT_ZERO(400, "Contact * needs Expires: 0"),
    /** An expiry below the least. */
    INTERVAL_TOO_BRIEF(423, "Interval Too Brief"),
    /** A CSeq that is not above the last one of this Call-ID. */
    OUT_OF_ORDER(500, "REGISTER Out Of Order"),
    /** More bindings than one address-of-record may have. */
    TOO_MANY_BINDINGS(403, "Too Many Bindings");

    private final int status;
    private final String phrase;

    Refusal(int status, String phrase) {
      this.status = status;
      this.phrase = phrase;
    }

    /** The status of the answer. */
    public int status() {
      return status;
    }

    /** Its reason phrase. */
    public String phrase() {
      return phrase;
    }
  }
}
