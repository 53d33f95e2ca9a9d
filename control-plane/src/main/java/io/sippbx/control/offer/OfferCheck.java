package io.sippbx.control.offer;

import io.sippbx.shared.sdp.Connection;
import io.sippbx.shared.sdp.MediaDescription;
import io.sippbx.shared.sdp.SdpLine;
import io.sippbx.shared.sdp.SessionDescription;
import java.util.Optional;

/** Whether an offer can be relayed at all. */
public final class OfferCheck {

  private OfferCheck() {}

  /**
   * Why the offer is refused with 488, if it is. An offer of which one line can be relayed is
   * passed on, with the others rejected; one without lines in use is passed on as it is.
   */
  public static Optional<Warning> refusal(SessionDescription offer) {
    Optional<Warning> reason = Optional.empty();
    boolean usable = false;
    for (MediaDescription media : offer.media()) {
      if (carriesAddress(media)) {
        return Optional.of(new Warning(Warning.MISCELLANEOUS, "An address in an m= line"));
      }
      if (media.isActive()) {
        Optional<Warning> problem = problem(media);
        usable |= problem.isEmpty();
        reason = reason.or(() -> problem);
      }
    }
    return usable ? Optional.empty() : reason;
  }

  /** Why a line that is in use cannot be relayed, if it cannot. */
  static Optional<Warning> problem(MediaDescription media) {
    if (!Transports.relayable(media)) {
      return Optional.of(new Warning(Warning.TRANSPORT, "Only media over UDP can be relayed"));
    }
    Optional<Connection> connection = media.connection();
    if (connection.isPresent() && !connection.get().isInternet()) {
      return Optional.of(new Warning(Warning.NETWORK_PROTOCOL, "Only Internet addresses"));
    }
    if (connection.isPresent() && connection.get().isMulticast()) {
      return Optional.of(new Warning(Warning.MULTICAST, "Multicast media cannot be relayed"));
    }
    if (connection.isPresent() && connection.get().ip().isEmpty() && !connection.get().isHold()) {
      // A relay that looked names up would wait for, and send to, whatever a peer names.
      return Optional.of(new Warning(Warning.ADDRESS_FORMAT, "An address is needed, not a name"));
    }
    return Optional.empty();
  }

  private static boolean carriesAddress(MediaDescription media) {
    SdpLine line = media.lines().getFirst();
    return !Leaks.literals(line.value()).isEmpty();
  }
}
