package io.sippbx.shared.sdp;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where RTCP shall be sent when that is not the next higher port ({@code a=rtcp}).
 *
 * @param connection empty: the address of the media line's connection
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3605#section-2.1">RFC 3605 2.1</a>
 */
public record RtcpAddress(int port, Optional<Connection> connection) {

  /** The value of an "rtcp" attribute, if it is one. */
  static @Nullable RtcpAddress parse(String value) {
    String[] fields = Fields.split(value);
    int port = fields.length == 0 ? -1 : Fields.number(fields[0], 65_535);
    if (port < 0 || fields.length != 1 && fields.length != 4) {
      return null;
    }
    return new RtcpAddress(
        port, fields.length == 1 ? Optional.empty() : Optional.of(Connection.of(fields, 1)));
  }

  /** The line. */
  public SdpLine line() {
    return SdpLine.attribute("rtcp", connection.map(c -> port + " " + c.text()).orElse("" + port));
  }
}
