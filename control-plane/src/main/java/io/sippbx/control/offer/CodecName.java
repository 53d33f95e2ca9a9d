package io.sippbx.control.offer;

import io.sippbx.shared.sdp.MediaDescription;
import io.sippbx.shared.sdp.RtpMap;
import io.sippbx.shared.sdp.SessionDescription;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The name of a call's codec in records of the call. */
public final class CodecName {

  /** Encodings that go beside a codec. */
  private static final List<String> NO_CODECS =
      List.of("telephone-event", "tone", "cn", "red", "rtx", "ulpfec", "flexfec", "parityfec");

  private CodecName() {}

  /** Ticks a second of the RTP timestamps of a codec that is widely used (RFC 3551 6, RFC 7587). */
  public static OptionalInt clockRate(String codec) {
    return switch (codec) {
      case "pcmu", "pcma", "g722", "g723", "g726-32", "g728", "g729", "gsm", "ilbc", "amr" ->
          OptionalInt.of(8_000);
      case "amr-wb", "evs" -> OptionalInt.of(16_000);
      case "opus" -> OptionalInt.of(48_000);
      default -> OptionalInt.empty();
    };
  }

  /**
   * The encoding name, in lower case, of the first codec of the first audio line that is in use;
   * empty when there is none or the payload type has no known meaning. Meant for answers, in which
   * the first format is the one that will be used (RFC 3264 6.1).
   */
  public static Optional<String> of(SessionDescription answer) {
    for (MediaDescription media : answer.media()) {
      if (media.isActive() && media.media().equals("audio")) {
        for (String format : media.formats()) {
          Optional<String> name = Codecs.map(media, format).map(RtpMap::codecName);
          if (name.isPresent() && !NO_CODECS.contains(name.get())) {
            return name;
          }
        }
        return Optional.empty();
      }
    }
    return Optional.empty();
  }
}
