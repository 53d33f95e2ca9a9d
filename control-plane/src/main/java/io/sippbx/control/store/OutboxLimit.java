package io.sippbx.control.store;

import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.proto.event.v1.RegistrationKind;
import java.util.List;
import java.util.OptionalLong;

/**
 * What the outbox of a partition may hold while nobody takes events out of it. Nothing in it is
 * ever dropped; from the limit on less and less is put into it:
 *
 * <ul>
 *   <li>at the limit no call begins any more;
 *   <li>at twice the limit nothing happens to a call any more that would be told, but its end, and
 *       nobody registers anew or from elsewhere;
 *   <li>the end of a call or of a registration is always told: there are no more of them than there
 *       are calls and registrations.
 * </ul>
 *
 * @param events at which no call begins any more; 0: there is no limit
 */
public record OutboxLimit(int events) {

  /** Whatever there is memory for. */
  public static final OutboxLimit NONE = new OutboxLimit(0);

  /** Refuses what is below 0. */
  public OutboxLimit {
    if (events < 0) {
      throw new IllegalArgumentException("Expected a limit of 0 or more, but got " + events);
    }
  }

  /** How many events there may be with those of this commit; empty: any number. */
  public OptionalLong roomFor(CallCommit<?> commit) {
    if (events == 0 || commit.events().isEmpty() || tellsTheEnd(commit.events())) {
      return OptionalLong.empty();
    }
    return OptionalLong.of(commit.read().isEmpty() ? events : 2L * events);
  }

  private static boolean tellsTheEnd(List<CallEvent> events) {
    for (CallEvent event : events) {
      if (event.hasEnded()) {
        return true;
      }
    }
    return false;
  }

  /**
   * As {@link #roomFor(CallCommit)}: a registration is told for as long as calls that are up are.
   */
  public OptionalLong roomFor(RegistrationCommit commit) {
    return events == 0 || commit.events().stream().allMatch(OutboxLimit::isAnEnd)
        ? OptionalLong.empty()
        : OptionalLong.of(2L * events);
  }

  private static boolean isAnEnd(RegistrationEvent event) {
    return event.getKind() == RegistrationKind.REGISTRATION_KIND_UNREGISTERED
        || event.getKind() == RegistrationKind.REGISTRATION_KIND_EXPIRED;
  }
}
