package io.sippbx.control.call;

import io.sippbx.control.offer.LegSdp;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.transport.Destination;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One INVITE of ours and what came of it. When it fails over to another destination it is the same
 * INVITE in another transaction (RFC 3263 4.3).
 *
 * @param branch of the INVITE, and so of its CANCEL
 * @param invite as it was sent last
 * @param hop where it was sent last
 * @param spare where it has not been sent yet, in the order to try
 * @param sdp what its offer said, or nothing yet
 * @param redirected whether it follows a redirect
 * @param forks in the order in which they were heard of
 */
public record CalleeLeg(
    int ordinal,
    Branch branch,
    SipRequest invite,
    Destination hop,
    List<Destination> spare,
    LegSdp sdp,
    boolean redirected,
    OutgoingInvite.State state,
    List<Fork> forks) {

  /** Copies the lists. */
  public CalleeLeg {
    spare = List.copyOf(spare);
    forks = List.copyOf(forks);
  }

  /** Whether one of them has had no final response yet. */
  static boolean isAnyOpen(List<CalleeLeg> legs) {
    for (CalleeLeg leg : legs) {
      if (leg.state().isOpen()) {
        return true;
      }
    }
    return false;
  }

  CalleeLeg with(OutgoingInvite.State next) {
    return new CalleeLeg(ordinal, branch, invite, hop, spare, sdp, redirected, next, forks);
  }

  /** With this fork in place of the one of its ordinal, or added. */
  CalleeLeg with(Fork fork) {
    var next = new ArrayList<Fork>(forks.size() + 1);
    boolean known = false;
    for (Fork old : forks) {
      known |= old.ordinal() == fork.ordinal();
      next.add(old.ordinal() == fork.ordinal() ? fork : old);
    }
    if (!known) {
      next.add(fork);
    }
    return new CalleeLeg(ordinal, branch, invite, hop, spare, sdp, redirected, state, next);
  }

  /**
   * What is left of its target: where it has not been sent yet; empty if it was sent everywhere.
   */
  Optional<Target> untried() {
    return spare.isEmpty()
        ? Optional.empty()
        : Optional.of(new Target(invite.uri(), invite.routes(), spare));
  }

  /** The fork whose peer has this tag. */
  Optional<Fork> fork(Optional<Tag> remoteTag) {
    for (Fork fork : forks) {
      if (fork.dialog().remoteTag().equals(remoteTag)) {
        return Optional.of(fork);
      }
    }
    return Optional.empty();
  }
}
