package io.sippbx.control.edge;

import io.sippbx.control.call.Target;
import io.sippbx.control.media.MediaNeed;
import io.sippbx.control.offer.End;
import io.sippbx.control.offer.MediaPlan;
import io.sippbx.control.offer.SdpBody;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.sdp.SdpLimits;
import java.util.List;

/** What a call will need of a media node, known from its INVITE before it is a call. */
final class SessionNeed {

  private SessionNeed() {}

  /**
   * The pairs of the first Apply: of the caller's offer, or of one stream where it made none. A
   * description that cannot be read needs as much; it is the call that refuses it.
   */
  static MediaNeed of(SipRequest invite, Flow flow, List<List<Target>> groups) {
    boolean calleeIsV6 =
        !groups.isEmpty()
            && !groups.getFirst().isEmpty()
            && groups.getFirst().getFirst().hop().remote().ip().isV6();
    return of(invite, flow.remote().ip().isV6(), calleeIsV6);
  }

  static MediaNeed of(SipRequest invite, boolean callerIsV6, boolean calleeIsV6) {
    MediaPlan plan = MediaPlan.none(callerIsV6, calleeIsV6);
    SdpBody body =
        SdpBody.of(
            invite.contentType(),
            invite.header(HeaderName.CONTENT_ENCODING),
            invite.header(HeaderName.CONTENT_DISPOSITION),
            invite.body(),
            SdpLimits.DEFAULT);
    return body instanceof SdpBody.Described described
        ? plan.offered(End.A, described.description()).need()
        : plan.need();
  }
}
