package io.sippbx.control.offer;

import io.sippbx.control.media.StreamAddresses;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.sdp.Connection;
import io.sippbx.shared.sdp.Direction;
import io.sippbx.shared.sdp.MediaDescription;
import io.sippbx.shared.sdp.Origin;
import io.sippbx.shared.sdp.RtcpAddress;
import io.sippbx.shared.sdp.SdpLine;
import io.sippbx.shared.sdp.SessionDescription;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What one dialog has been told of the session. Immutable: telling it more gives the next value.
 *
 * <p>A description goes from leg to leg line by line. Changed is only what has to be:
 *
 * <ul>
 *   <li>"o=" is ours: no user, one session id and address a dialog, and a version that rises by one
 *       exactly when the description differs from the last one told (RFC 3264 8);
 *   <li>addresses and ports in "c=", "m=" and "a=rtcp" are the media node's;
 *   <li>lines that carry an address of the other leg, and ICE and BUNDLE, which would go past the
 *       relay or fold its ports into one, are left out ("u=", "e=" and "p=" always; "s=" becomes
 *       "-" if it carries one);
 *   <li>0.0.0.0 becomes our address with the direction that it stands for;
 *   <li>a line that cannot be relayed, or for which there is no address, has port 0;
 *   <li>an offer has its formats in the order of {@link CodecPriority}, and as many lines as the
 *       last description told or more;
 *   <li>an answer has the lines of its offer, "rtcp-mux" only where that had it, and directions
 *       that it allows.
 * </ul>
 *
 * @param end where the dialog is
 * @param sessionId of our "o=" lines; a dialog of its own has one of its own
 * @param originAddress of our "o=" lines
 * @param version of the last "o=" line; 0 before the first
 * @param told the last description told
 */
public record LegSdp(
    End end,
    long sessionId,
    IpAddress originAddress,
    long version,
    Optional<SessionDescription> told) {

  /**
   * Nothing told yet.
   *
   * @param sessionId at least 0; unique with {@code originAddress}
   */
  public static LegSdp start(End end, long sessionId, IpAddress originAddress) {
    return new LegSdp(end, sessionId, originAddress, 0, Optional.empty());
  }

  /**
   * The other leg's offer, made ours.
   *
   * @param offer one that {@link OfferCheck} lets pass
   * @param addresses where the media node receives; lines without one are rejected
   */
  public LegSdp offering(
      SessionDescription offer, List<StreamAddresses> addresses, CodecPriority priority) {
    var media = new ArrayList<MediaDescription>(offer.media().size());
    for (MediaDescription line : offer.media()) {
      media.add(priority.apply(line.withDirection(line.effectiveDirection())));
    }
    // RFC 3264 8: "the number of m= lines MUST NOT decrease".
    List<MediaDescription> before = told.map(SessionDescription::media).orElse(List.of());
    for (int i = media.size(); i < before.size(); i++) {
      media.add(before.get(i).rejected());
    }
    return telling(relayed(offer, media, addresses, false));
  }

  /**
   * The other leg's answer, made ours.
   *
   * @param answer the {@link AnswerCheck#usable} part of what the other leg answered
   * @param offer as this leg sent it
   * @param addresses where the media node receives; lines without one are rejected
   */
  public LegSdp answering(
      SessionDescription answer, SessionDescription offer, List<StreamAddresses> addresses) {
    var media = new ArrayList<MediaDescription>(offer.media().size());
    for (int i = 0; i < offer.media().size(); i++) {
      MediaDescription offered = offer.media().get(i);
      MediaDescription answered =
          i < answer.media().size() ? answer.media().get(i) : offered.rejected();
      boolean fits =
          answered.media().equals(offered.media()) && Transports.answers(answered, offered);
      if (!fits || answered.isActive() && !offered.isActive()) {
        media.add(offered.rejected());
        continue;
      }
      Direction direction =
          answered.effectiveDirection().and(offered.effectiveDirection().reversed());
      MediaDescription line = answered.isActive() ? answered.withDirection(direction) : answered;
      media.add(
          offered.rtcpMux() ? line : line.without(attribute -> attribute.isAttribute("rtcp-mux")));
    }
    return telling(relayed(answer, media, addresses, true));
  }

  /**
   * An answer that rejects every line, for an offer that must be answered though the call is to end
   * (RFC 3261 13.2.2.4).
   */
  public LegSdp rejecting(SessionDescription offer) {
    return answering(
        offer.withMedia(offer.media().stream().map(MediaDescription::rejected).toList()),
        offer,
        List.of());
  }

  /**
   * The last description told, with other addresses: what is offered when the session moves to
   * another media node.
   *
   * @throws IllegalStateException if nothing was told
   */
  public LegSdp moving(List<StreamAddresses> addresses) {
    SessionDescription last = body();
    var media = new ArrayList<MediaDescription>(last.media().size());
    for (MediaDescription line : last.media()) {
      media.add(line);
    }
    return telling(relayed(last, media, addresses, false));
  }

  /**
   * The description told last: what goes into the message.
   *
   * @throws IllegalStateException if nothing was told
   */
  public SessionDescription body() {
    return told.orElseThrow(
        () -> new IllegalStateException("Expected a description to be told, but none was"));
  }

  private LegSdp telling(SessionDescription description) {
    if (told.isPresent() && told.get().sameApartFromOrigin(description)) {
      return this;
    }
    long next = version + 1;
    Origin origin = Origin.of(sessionId, next, originAddress);
    return new LegSdp(
        end, sessionId, originAddress, next, Optional.of(description.withOrigin(origin)));
  }

  private SessionDescription relayed(
      SessionDescription from,
      List<MediaDescription> lines,
      List<StreamAddresses> addresses,
      boolean answer) {
    Leaks leaks = Leaks.of(from);
    var found = new ArrayList<Optional<StreamAddresses>>(lines.size());
    IpAddress sessionIp = originAddress;
    for (int i = lines.size() - 1; i >= 0; i--) {
      Optional<StreamAddresses> address =
          Transports.carries(lines.get(i)) ? addressOf(i, addresses) : Optional.empty();
      found.addFirst(address);
      sessionIp = address.map(a -> end.rtp(a).ip()).orElse(sessionIp);
    }
    var media = new ArrayList<MediaDescription>(lines.size());
    for (int i = 0; i < lines.size(); i++) {
      media.add(
          relayed(
              lines.get(i), leaks, found.get(i), from.connection().isPresent(), sessionIp, answer));
    }
    String name = "-";
    for (SdpLine line : from.sessionLines()) {
      if (line.type() == 's' && !leaks.carries(line.value()) && !line.value().isEmpty()) {
        name = line.value();
        break;
      }
    }
    SessionDescription relayed =
        from.withoutSessionLines(line -> line.type() != 's' && leaks.isIn(line))
            .withSessionName(name)
            .withTime();
    if (from.connection().isPresent()) {
      relayed = relayed.withConnection(Connection.of(sessionIp));
    }
    return relayed.withMedia(media);
  }

  private MediaDescription relayed(
      MediaDescription line,
      Leaks leaks,
      Optional<StreamAddresses> addresses,
      boolean hasSessionConnection,
      IpAddress sessionIp,
      boolean answer) {
    boolean hasConnection = line.lines().stream().anyMatch(each -> each.type() == 'c');
    boolean hasRtcp = line.hasAttribute("rtcp");
    boolean rtcpHasAddress =
        line.rtcpAddress().map(rtcp -> rtcp.connection().isPresent()).orElse(false);
    if (addresses.isEmpty()) {
      // What was rejected before us stays as it is; of what we reject nothing is left.
      MediaDescription rejected = line.isActive() ? line.rejected() : line.without(leaks::isIn);
      return hasConnection && !line.isActive()
          ? rejected.withConnection(Connection.of(sessionIp))
          : rejected;
    }
    Endpoint rtp = end.rtp(addresses.get());
    boolean muxed = answer && line.rtcpMux();
    Endpoint rtcp = muxed ? rtp : end.rtcp(addresses.get());
    MediaDescription relayed = line.withPort(rtp.port());
    if (hasConnection || !hasSessionConnection || !rtp.ip().equals(sessionIp)) {
      relayed = relayed.withConnection(Connection.of(rtp.ip()));
    }
    boolean otherIp = !rtcp.ip().equals(rtp.ip());
    boolean elsewhere = otherIp || rtcp.port() != rtp.port() + 1;
    if (hasRtcp || elsewhere && !line.rtcpMux()) {
      // In the place of the peer's, so that the order of lines stays.
      relayed =
          relayed.withRtcp(
              new RtcpAddress(
                  rtcp.port(),
                  rtcpHasAddress || otherIp
                      ? Optional.of(Connection.of(rtcp.ip()))
                      : Optional.empty()));
    }
    return relayed.without(each -> !each.isAttribute("rtcp") && leaks.isIn(each));
  }

  private static Optional<StreamAddresses> addressOf(int index, List<StreamAddresses> addresses) {
    for (StreamAddresses each : addresses) {
      if (each.index() == index) {
        return Optional.of(each);
      }
    }
    return Optional.empty();
  }
}
