package io.sippbx.control.store;

import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.Registration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Where registrations live: one record for each address-of-record, committed under the version that
 * was read (law 2).
 *
 * <p>Every method returns at once, and its answer comes exactly once, later, as a task of the loop
 * that the store was made for, within the time limit of the store. From the moment given by {@link
 * Registration#expiresAt} on a record is as good as absent, and the store drops it; a record that
 * is committed with such a moment in the past is removed by that.
 */
public interface RegistrationStore {

  /** Reads the record. */
  void read(Aor aor, Consumer<ReadAnswer<Registration>> answer);

  /**
   * Writes the record if it still stands as it was read, and its events to the outbox of its
   * partition, in one step.
   *
   * <ul>
   *   <li>The last commit of the record is this one: {@link CommitAnswer.AlreadyApplied}, whatever
   *       the version.
   *   <li>{@code expectedVersion} is the record's, 0 where there is none: {@link
   *       CommitAnswer.Applied} with the next version.
   *   <li>There is a record with another version: {@link CommitAnswer.Conflict} with it.
   *   <li>There is none, and a version was expected: {@link CommitAnswer.Gone}.
   *   <li>The outbox has no room for its events ({@link OutboxLimit}): {@link CommitAnswer.Full}.
   *   <li>No answer in time, or the store is full (its limit of records): {@link
   *       CommitAnswer.Unknown}. The same commit may be sent again.
   * </ul>
   */
  void commit(RegistrationCommit commit, Consumer<CommitAnswer<Registration>> answer);

  /**
   * A page of the records, in the order of their addresses-of-record. Not a snapshot: a record that
   * changes meanwhile may be seen as it was or as it is.
   *
   * @param after the last one of the page before; empty for the first page
   * @param limit entries of the page, 1 to {@value #MAX_PAGE}
   */
  void list(Optional<Aor> after, int limit, Consumer<ListAnswer> answer);

  /** Entries of a page at most. */
  int MAX_PAGE = 1000;

  /** How many there are. */
  void count(Consumer<CountAnswer> answer);

  /**
   * Claims addresses-of-record of a partition of which the time of a contact is over, in store
   * time, and was not told yet: each is put off by {@link PartitionStore#CLAIM}, and a commit says
   * when it is due again. Who claims needs no fence: the version of the record lets one tell.
   *
   * @param limit 1 to {@value #MAX_PAGE}
   */
  void claimExpired(Partition partition, int limit, Consumer<ExpiredAnswer> answer);

  /** What the store says to a claim. */
  sealed interface ExpiredAnswer {
    /**
     * Those that were claimed.
     *
     * @param more whether there are others
     */
    record Due(List<Aor> aors, boolean more) implements ExpiredAnswer {
      /** Copies {@code aors}. */
      public Due {
        aors = List.copyOf(aors);
      }
    }

    /** No answer in time. */
    record Unavailable(String detail) implements ExpiredAnswer {}
  }

  /** What the store says to a list. */
  sealed interface ListAnswer {
    /**
     * A page.
     *
     * @param more whether there are records after the last of these
     */
    record Page(List<Entry> entries, boolean more) implements ListAnswer {
      /** Copies {@code entries}. */
      public Page {
        entries = List.copyOf(entries);
      }
    }

    /** No answer in time. */
    record Unavailable(String detail) implements ListAnswer {}
  }

  /** A record and whose it is. */
  record Entry(Aor aor, Versioned<Registration> current) {}

  /** What the store says to a count. */
  sealed interface CountAnswer {
    /**
     * The counts. Bindings that expired while their record lives on for another reason count until
     * the record is next written.
     *
     * @param registered records with a binding
     * @param bindings of all records
     */
    record Counts(long registered, long bindings) implements CountAnswer {}

    /** No answer in time. */
    record Unavailable(String detail) implements CountAnswer {}
  }
}
