package io.sippbx.control.call;

import io.sippbx.control.offer.LegSdp;
import io.sippbx.shared.sdp.SessionDescription;
import java.util.Optional;

/**
 * What was said of the session in one dialog.
 *
 * @param ours what we have told there
 * @param theirs the peer's last description there
 */
public record SdpState(LegSdp ours, Optional<SessionDescription> theirs) {

  /** Nothing was heard. */
  static SdpState of(LegSdp ours) {
    return new SdpState(ours, Optional.empty());
  }

  SdpState telling(LegSdp now) {
    return new SdpState(now, theirs);
  }

  SdpState hearing(SessionDescription description) {
    return new SdpState(ours, Optional.of(description));
  }

  /**
   * Back to what was agreed before a refused offer. The version of our description stays where it
   * is: it never falls (RFC 3264 8).
   */
  SdpState backTo(SdpState before) {
    var told =
        new LegSdp(
            ours.end(),
            ours.sessionId(),
            ours.originAddress(),
            ours.version(),
            before.ours().told());
    return new SdpState(told, before.theirs());
  }
}
