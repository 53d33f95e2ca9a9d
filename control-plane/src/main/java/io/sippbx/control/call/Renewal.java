package io.sippbx.control.call;

import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import java.util.Optional;

/**
 * A re-INVITE of our own, or an UPDATE where a re-INVITE would have to wait for the side's ACK: it
 * tells one side where its media is now.
 *
 * @param attempts how often it was refused in a way that allows another attempt
 * @param sent as it was sent; empty while it is to be sent, or sent again
 * @param offersOther whether it offers what the other side said last, and not only other addresses
 * @param again whether the other side has said something else since it was sent
 * @param before what was agreed before it was sent
 */
public record Renewal(
    Side side,
    int attempts,
    Optional<SipRequest> sent,
    boolean offersOther,
    boolean again,
    SdpState before) {

  /** To be sent as soon as the side can be asked. */
  static Renewal due(Leg leg, boolean offersOther) {
    return new Renewal(leg.side(), 0, Optional.empty(), offersOther, false, leg.sdp());
  }

  Renewal sending(SipRequest request, SdpState agreed) {
    return new Renewal(side, attempts, Optional.of(request), offersOther, again, agreed);
  }

  /** Refused; it may be sent again. */
  Renewal waiting() {
    return new Renewal(side, attempts + 1, Optional.empty(), offersOther || again, false, before);
  }

  /** The other side has said something that this side must be offered. */
  Renewal offeringOther() {
    return new Renewal(
        side, attempts, sent, offersOther || sent.isEmpty(), again || sent.isPresent(), before);
  }

  /** Whether it went as an UPDATE, which is tried once. */
  public boolean isUpdate() {
    return sent.filter(request -> request.method().equals(Method.UPDATE)).isPresent();
  }

  boolean isSentAs(Branch branch) {
    return sent.flatMap(request -> request.topVia().branch()).filter(branch::equals).isPresent();
  }
}
