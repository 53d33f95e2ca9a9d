package io.sippbx.app.demo;

import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.message.Via;
import java.util.List;
import java.util.Optional;

/**
 * A confirmed dialog as one phone sees it. Immutable.
 *
 * @param local with our tag
 * @param remote with theirs
 * @param target the Contact of the other side
 * @param routes in the order in which our requests pass them
 * @param sequence the CSeq of our last request
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-12">RFC 3261 12</a>
 */
record Dialog(
    CallId callId,
    NameAddr local,
    NameAddr remote,
    Uri target,
    List<NameAddr> routes,
    long sequence) {

  /** Copies {@code routes}. */
  Dialog {
    routes = List.copyOf(routes);
  }

  /** As the caller has it (12.1.2); empty if the answer has no Contact or no tag. */
  static Optional<Dialog> ofAnswer(SipRequest invite, SipResponse answer) {
    return answer.toTag().isEmpty()
        ? Optional.empty()
        : target(answer)
            .map(
                target ->
                    new Dialog(
                        invite.callId(),
                        invite.from(),
                        answer.to(),
                        target,
                        answer.recordRoutes().reversed(),
                        invite.cSeq().number()));
  }

  /** As the called one has it (12.1.1); empty if the INVITE has no Contact. */
  static Optional<Dialog> ofInvite(SipRequest invite, Tag tag) {
    return target(invite)
        .map(
            target ->
                new Dialog(
                    invite.callId(),
                    invite.to().withTag(tag),
                    invite.from(),
                    target,
                    invite.recordRoutes(),
                    0));
  }

  private static Optional<Uri> target(SipMessage message) {
    return message.contacts().stream().findFirst().map(NameAddr::uri);
  }

  /** Whether a request of the other side is of this dialog (12.2.2). */
  boolean holds(SipRequest request) {
    return request.callId().equals(callId)
        && request.toTag().equals(local.tag())
        && request.fromTag().equals(remote.tag());
  }

  /** The dialog after a request of ours with that CSeq. */
  Dialog sent(long number) {
    return new Dialog(callId, local, remote, target, routes, number);
  }

  /** The same with the Contact of a target refresh (12.2.1.2), if it has one. */
  Dialog refreshed(SipMessage message) {
    return target(message)
        .map(fresh -> new Dialog(callId, local, remote, fresh, routes, sequence))
        .orElse(this);
  }

  /** A request within the dialog (12.2.1.1), with the next CSeq; an ACK with {@code sequence}. */
  SipRequest.Builder request(Method method, Via via) {
    long number = method.equals(Method.ACK) ? sequence : sequence + 1;
    return SipRequest.builder(method, target)
        .via(via)
        .routes(routes)
        .from(local)
        .to(remote)
        .callId(callId)
        .cSeq(number);
  }
}
