package io.sippbx.control.registrar;

import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.Binding;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Who is registered: for administration and statistics. */
public interface RegisteredUsers {

  /**
   * A page of the registered, in the order of their addresses-of-record. Not a snapshot. The answer
   * comes later, exactly once, as a task of the loop.
   *
   * @param after {@link UsersAnswer.Page#next} of the page before; empty for the first page
   * @param limit users of the page at most, 1 to 1000; a page may hold fewer and still have a next
   */
  void list(Optional<Aor> after, int limit, Consumer<UsersAnswer> answer);

  /** How many there are, with the answer as in {@link #list}. */
  void count(Consumer<CountsAnswer> answer);

  /**
   * Who is registered, and where.
   *
   * @param bindings that hold, at least one
   */
  record RegisteredUser(Aor aor, List<Binding> bindings) {
    /** Copies {@code bindings}. */
    public RegisteredUser {
      bindings = List.copyOf(bindings);
    }
  }

  /** The answer to a list. */
  sealed interface UsersAnswer {
    /**
     * A page.
     *
     * @param next to be asked for the page after this; empty when this is the last one
     */
    record Page(List<RegisteredUser> users, Optional<Aor> next) implements UsersAnswer {
      /** Copies {@code users}. */
      public Page {
        users = List.copyOf(users);
      }
    }

    /** The store does not answer. */
    record Unavailable(String detail) implements UsersAnswer {}
  }

  /** The answer to a count. */
  sealed interface CountsAnswer {
    /** The counts. */
    record Counts(long users, long bindings) implements CountsAnswer {}

    /** The store does not answer. */
    record Unavailable(String detail) implements CountsAnswer {}
  }
}
