package io.sippbx.shared.sdp;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The fields of an "m=" line.
 *
 * @param media in lower case
 */
record MediaLine(String media, int port, int portCount, String protocol, List<String> formats) {

  MediaLine {
    formats = List.copyOf(formats);
    if (port < 0 || port > 65_535) {
      throw new IllegalArgumentException("Expected a port from 0 to 65535, but got " + port);
    }
    if (port != 0 && formats.isEmpty()) {
      throw new IllegalArgumentException("Expected at least one format, but got none");
    }
  }

  /** The value of an "m=" line, or null if it is none. */
  static @Nullable MediaLine parse(String value) {
    String[] fields = Fields.split(value);
    if (fields.length < 3) {
      return null;
    }
    int slash = fields[1].indexOf('/');
    int port = Fields.number(slash < 0 ? fields[1] : fields[1].substring(0, slash), 65_535);
    int portCount = slash < 0 ? 1 : Fields.number(fields[1].substring(slash + 1), 65_535);
    // Some leave the formats out of a line that they reject; of no other line.
    if (port < 0 || portCount < 1 || port != 0 && fields.length < 4) {
      return null;
    }
    var formats = new ArrayList<String>(fields.length - 3);
    for (int i = 3; i < fields.length; i++) {
      formats.add(fields[i]);
    }
    return new MediaLine(fields[0].toLowerCase(Locale.ROOT), port, portCount, fields[2], formats);
  }

  SdpLine line() {
    var text = new StringBuilder(media).append(' ').append(port);
    if (portCount > 1) {
      text.append('/').append(portCount);
    }
    text.append(' ').append(protocol);
    for (String format : formats) {
      text.append(' ').append(format);
    }
    return new SdpLine('m', text.toString());
  }
}
