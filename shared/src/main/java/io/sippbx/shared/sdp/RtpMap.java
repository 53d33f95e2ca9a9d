package io.sippbx.shared.sdp;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What an RTP payload type stands for.
 *
 * @param encoding the encoding name as written; case does not count
 * @param clockRate in Hz
 * @param parameters for audio, the number of channels; "" when not given
 * @see <a href="https://www.rfc-editor.org/rfc/rfc8866#section-6.6">RFC 8866 6.6</a>
 */
public record RtpMap(int payloadType, String encoding, int clockRate, String parameters) {

  /** RFC 3551 Tables 4 and 5; empty where a number is reserved or unassigned. */
  private static final List<Optional<RtpMap>> STATIC = staticTypes();

  /** Whether both name one codec: the same name, clock rate and channels. */
  public boolean sameCodec(RtpMap other) {
    return encoding.equalsIgnoreCase(other.encoding)
        && clockRate == other.clockRate
        && channels().equals(other.channels());
  }

  private String channels() {
    // One channel is the same as none said (RFC 8866 6.6).
    return parameters.equals("1") ? "" : parameters;
  }

  /** The encoding name in lower case. */
  public String codecName() {
    return encoding.toLowerCase(Locale.ROOT);
  }

  /**
   * What a payload type means that needs no mapping.
   *
   * @see <a href="https://www.rfc-editor.org/rfc/rfc3551#section-6">RFC 3551 6</a>
   */
  public static Optional<RtpMap> ofStatic(int payloadType) {
    return payloadType >= 0 && payloadType < STATIC.size()
        ? STATIC.get(payloadType)
        : Optional.empty();
  }

  /** The value of an "rtpmap" attribute, if it is one. */
  static @Nullable RtpMap parse(String value) {
    String[] fields = Fields.split(value);
    if (fields.length != 2) {
      return null;
    }
    int payloadType = Fields.number(fields[0], 127);
    int slash = fields[1].indexOf('/');
    if (payloadType < 0 || slash < 1) {
      return null;
    }
    int second = fields[1].indexOf('/', slash + 1);
    int clockRate =
        Fields.number(
            fields[1].substring(slash + 1, second < 0 ? fields[1].length() : second),
            Integer.MAX_VALUE);
    return clockRate < 0
        ? null
        : new RtpMap(
            payloadType,
            fields[1].substring(0, slash),
            clockRate,
            second < 0 ? "" : fields[1].substring(second + 1));
  }

  private static List<Optional<RtpMap>> staticTypes() {
    var types = new ArrayList<Optional<RtpMap>>(Collections.nCopies(35, Optional.empty()));
    put(types, 0, "PCMU", 8_000, "");
    put(types, 3, "GSM", 8_000, "");
    put(types, 4, "G723", 8_000, "");
    put(types, 5, "DVI4", 8_000, "");
    put(types, 6, "DVI4", 16_000, "");
    put(types, 7, "LPC", 8_000, "");
    put(types, 8, "PCMA", 8_000, "");
    put(types, 9, "G722", 8_000, "");
    put(types, 10, "L16", 44_100, "2");
    put(types, 11, "L16", 44_100, "");
    put(types, 12, "QCELP", 8_000, "");
    put(types, 13, "CN", 8_000, "");
    put(types, 14, "MPA", 90_000, "");
    put(types, 15, "G728", 8_000, "");
    put(types, 16, "DVI4", 11_025, "");
    put(types, 17, "DVI4", 22_050, "");
    put(types, 18, "G729", 8_000, "");
    put(types, 25, "CelB", 90_000, "");
    put(types, 26, "JPEG", 90_000, "");
    put(types, 28, "nv", 90_000, "");
    put(types, 31, "H261", 90_000, "");
    put(types, 32, "MPV", 90_000, "");
    put(types, 33, "MP2T", 90_000, "");
    put(types, 34, "H263", 90_000, "");
    return List.copyOf(types);
  }

  private static void put(
      List<Optional<RtpMap>> types, int type, String encoding, int clockRate, String parameters) {
    types.set(type, Optional.of(new RtpMap(type, encoding, clockRate, parameters)));
  }
}
