package io.sippbx.app.demo;

import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.sdp.Direction;
import io.sippbx.shared.sdp.MediaDescription;
import io.sippbx.shared.sdp.SdpLimits;
import io.sippbx.shared.sdp.SdpParseResult;
import io.sippbx.shared.sdp.SessionDescription;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * What one side says about its audio: the part of an offer or answer that a phone of the demo
 * understands.
 *
 * @param rtp where it listens
 * @param direction of the media, as seen by who said it
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3264">RFC 3264</a>
 */
record PhoneMedia(Endpoint rtp, Direction direction) {

  /** The type of the body that {@link #body} makes. */
  static final String CONTENT_TYPE = "application/sdp";

  /** What the body of a message says; empty if it has none, or none with PCMU audio. */
  static Optional<PhoneMedia> read(SipMessage message) {
    if (!message.isContentType(CONTENT_TYPE)
        || !(SessionDescription.parse(message.body(), SdpLimits.DEFAULT)
            instanceof SdpParseResult.Parsed(SessionDescription description))
        || description.media().isEmpty()) {
      return Optional.empty();
    }
    MediaDescription audio = description.media().getFirst();
    if (!audio.isActive() || !audio.payloadTypes().contains(MuLaw.PAYLOAD_TYPE)) {
      return Optional.empty();
    }
    return audio.rtp().map(rtp -> new PhoneMedia(rtp, audio.effectiveDirection()));
  }

  /**
   * The session description that says it: PCMU at 20 ms, one stream.
   *
   * @param user in the o= line
   * @param session the number of the session, the same for the whole call
   * @param version one more for each description that differs (RFC 3264 8)
   */
  byte[] body(String user, long session, int version) {
    String address = (rtp.ip().isV6() ? "IP6 " : "IP4 ") + rtp.ip();
    String text =
        String.join(
            "\r\n",
            "v=0",
            "o=" + user + " " + session + " " + version + " IN " + address,
            "s=-",
            "c=IN " + address,
            "t=0 0",
            "m=audio " + rtp.port() + " RTP/AVP " + MuLaw.PAYLOAD_TYPE,
            "a=rtpmap:" + MuLaw.PAYLOAD_TYPE + " PCMU/" + MuLaw.SAMPLES_PER_SECOND,
            "a=ptime:" + RtpEndpoint.PACKET_TIME.toMillis(),
            "a=" + direction.attribute(),
            "");
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
