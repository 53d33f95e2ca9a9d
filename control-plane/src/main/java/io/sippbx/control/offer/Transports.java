package io.sippbx.control.offer;

import io.sippbx.control.media.PayloadForm;
import io.sippbx.shared.sdp.MediaDescription;
import java.util.List;
import java.util.Locale;

/** Which transports a media node can relay: everything over UDP. */
final class Transports {

  /** First part of the transport's name where it is not over UDP. */
  private static final List<String> NOT_UDP = List.of("TCP", "TLS", "SCTP", "DCCP", "WS", "WSS");

  private Transports() {}

  /**
   * Whether packets of this line can be relayed. A transport that is not known passes as one over
   * UDP, which all are but those whose name starts with another protocol.
   */
  static boolean relayable(MediaDescription media) {
    String protocol = media.protocol().toUpperCase(Locale.ROOT);
    int slash = protocol.indexOf('/');
    return !NOT_UDP.contains(slash < 0 ? protocol : protocol.substring(0, slash));
  }

  /**
   * What the packets of the line are. A secure profile may agree on its keys by DTLS under either
   * name: "RTP/SAVPF" with a fingerprint is what implementations sent before "UDP/TLS/RTP/SAVPF".
   *
   * @see <a href="https://www.rfc-editor.org/rfc/rfc5764#section-8">RFC 5764 8</a>
   */
  static PayloadForm form(MediaDescription media) {
    if (!media.isRtp()) {
      return PayloadForm.DATAGRAMS;
    }
    String protocol = media.protocol().toUpperCase(Locale.ROOT);
    return protocol.endsWith("/SAVP") || protocol.endsWith("/SAVPF")
        ? PayloadForm.DTLS_SRTP
        : PayloadForm.RTP;
  }

  /** Whether the line is in use and can be relayed. */
  static boolean carries(MediaDescription media) {
    return media.isActive() && relayable(media);
  }

  /** Whether an answer may have the transport {@code answer}: feedback may be left out of it. */
  static boolean answers(MediaDescription answer, MediaDescription offer) {
    return profile(answer).equals(profile(offer));
  }

  private static String profile(MediaDescription media) {
    String protocol = media.protocol().toUpperCase(Locale.ROOT);
    return protocol.endsWith("AVPF") ? protocol.substring(0, protocol.length() - 1) : protocol;
  }
}
