package io.sippbx.control.store;

import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.proto.event.v1.RegistrationEvent;
import java.util.List;

/**
 * One atomic step of an address-of-record.
 *
 * @param expectedVersion the version that was read; 0 for a record that was absent
 * @param id random; a commit that is sent again has the same one
 * @param events what the step tells, in the order of their seq
 */
public record RegistrationCommit(
    Aor aor,
    long expectedVersion,
    CommitId id,
    Registration record,
    List<RegistrationEvent> events) {

  /** Events of one step at most. */
  public static final int MAX_EVENTS = 1_000;

  /** Copies {@code events} and checks. */
  public RegistrationCommit {
    events = List.copyOf(events);
    if (expectedVersion < 0) {
      throw new IllegalArgumentException("Expected a version, but got " + expectedVersion);
    }
    if (events.size() > MAX_EVENTS) {
      throw new IllegalArgumentException(
          "Expected " + MAX_EVENTS + " events or fewer, but got " + events.size());
    }
  }

  /** A step that tells nothing. */
  public RegistrationCommit(Aor aor, long expectedVersion, CommitId id, Registration record) {
    this(aor, expectedVersion, id, record, List.of());
  }
}
