package io.sippbx.control.call;

import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transport.Destination;
import java.util.List;
import java.util.Optional;

/**
 * A dialog as one of our legs holds it.
 *
 * @param local our From or To value, with our tag
 * @param remote the peer's, with its tag once known
 * @param localCSeq the last CSeq number that we used, 0 before the first
 * @param remoteCSeq the last CSeq number that the peer used, -1 before the first
 * @param routes the route set, first hop first
 * @param remoteTarget the peer's Contact
 * @param contact ours
 * @param hop where the next request goes: the first route or the remote target, resolved
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-12">RFC 3261 12</a>
 */
public record Dialog(
    CallId callId,
    NameAddr local,
    NameAddr remote,
    long localCSeq,
    long remoteCSeq,
    List<NameAddr> routes,
    Uri remoteTarget,
    NameAddr contact,
    Destination hop) {

  /** Copies {@code routes}. */
  public Dialog {
    routes = List.copyOf(routes);
  }

  /** The tag that the peer has given itself. */
  public Optional<Tag> remoteTag() {
    return remote.tag();
  }

  /** The next request of ours has the CSeq number {@code localCSeq} of what this gives. */
  public Dialog withNextCSeq() {
    return withLocalCSeq(localCSeq + 1);
  }

  Dialog withLocalCSeq(long number) {
    return new Dialog(
        callId, local, remote, number, remoteCSeq, routes, remoteTarget, contact, hop);
  }

  Dialog withRemoteCSeq(long number) {
    return new Dialog(callId, local, remote, localCSeq, number, routes, remoteTarget, contact, hop);
  }

  /** The same dialog, to whose peer we give another Contact (RFC 3261 12.2: a target refresh). */
  Dialog withContact(NameAddr ours) {
    return new Dialog(
        callId, local, remote, localCSeq, remoteCSeq, routes, remoteTarget, ours, hop);
  }

  /** The same dialog with another remote target (RFC 3261 12.2: a target refresh). */
  Dialog withRemoteTarget(Uri target, Destination nextHop) {
    return new Dialog(
        callId,
        local,
        remote,
        localCSeq,
        remoteCSeq,
        routes,
        target,
        contact,
        nextHop.of(hop.device()));
  }

  /** The dialog as its 2xx says: the route set is recomputed from it (RFC 3261 13.2.2.4). */
  Dialog confirmedBy(List<NameAddr> routeSet, Uri target, Destination nextHop) {
    return new Dialog(
        callId,
        local,
        remote,
        localCSeq,
        remoteCSeq,
        routeSet,
        target,
        contact,
        nextHop.of(hop.device()));
  }

  /**
   * Whether the first route does not insert itself by {@code lr}, so that it becomes the target.
   */
  boolean hasStrictRoute() {
    return !routes.isEmpty()
        && routes.getFirst().uri() instanceof SipUri first
        && !first.params().has("lr");
  }
}
