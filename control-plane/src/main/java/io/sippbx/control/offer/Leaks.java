package io.sippbx.control.offer;

import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.sdp.Connection;
import io.sippbx.shared.sdp.MediaDescription;
import io.sippbx.shared.sdp.RtcpAddress;
import io.sippbx.shared.sdp.SdpLine;
import io.sippbx.shared.sdp.SessionDescription;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Which lines of one description would tell the other leg an address of its writer, or would make
 * media pass the relay by.
 */
final class Leaks {

  /** Attributes that exist to carry addresses, or that have a meaning only with those that do. */
  private static final List<String> OF_ADDRESSES =
      List.of(
          "candidate",
          "remote-candidates",
          "end-of-candidates",
          "alt",
          "altc",
          "source-filter",
          "rtcp",
          "bundle-only");

  /** Names and addresses where the writer is, in lower case; two a media line at most. */
  private final List<String> texts = new ArrayList<>();

  private Leaks() {}

  static Leaks of(SessionDescription description) {
    var leaks = new Leaks();
    leaks.addName(description.origin().address());
    description.connection().map(Connection::address).ifPresent(leaks::addName);
    for (MediaDescription media : description.media()) {
      media.connection().map(Connection::address).ifPresent(leaks::addName);
      media
          .rtcpAddress()
          .flatMap(RtcpAddress::connection)
          .map(Connection::address)
          .ifPresent(leaks::addName);
    }
    return leaks;
  }

  private void addName(String name) {
    // Without a dot or a colon it names nothing that could be reached, and may be part of any word.
    if (name.indexOf('.') > 0 || name.indexOf(':') >= 0) {
      Optional<IpAddress> ip = IpAddress.parse(name);
      if (ip.isEmpty() || !ip.get().isUnspecified()) {
        add(name);
      }
      ip.ifPresent(this::addIp);
    }
  }

  private void addIp(IpAddress ip) {
    if (!ip.isUnspecified()) {
      add(ip.toString());
    }
  }

  private void add(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    if (!texts.contains(lower)) {
      texts.add(lower);
    }
  }

  /** Whether the line, of any type but "v", "o", "c", "t" and "m", must not be passed on. */
  boolean isIn(SdpLine line) {
    return switch (line.type()) {
      case 'v', 'o', 'c', 't', 'm' -> false;
      // RFC 8866 5.5, 5.6: a page, a mail address and a telephone number of the writer.
      case 'u', 'e', 'p' -> true;
      case 'a' -> isOfAddresses(line) || carries(line.value());
      default -> carries(line.value());
    };
  }

  private static boolean isOfAddresses(SdpLine line) {
    for (String name : OF_ADDRESSES) {
      if (line.isAttribute(name)) {
        return true;
      }
    }
    // ICE as a whole: its candidates are gone. It comes back when the relay speaks it.
    return line.value().regionMatches(true, 0, "ice-", 0, 4)
        || line.value().equalsIgnoreCase("ice2")
        // One transport for several lines, or a choice between addresses: the relay has a port for
        // each line.
        || line.isAttribute("group")
            && (semantics(line).equals("BUNDLE") || semantics(line).equals("ANAT"));
  }

  private static String semantics(SdpLine group) {
    String value = group.attributeValue().strip();
    int space = value.indexOf(' ');
    return (space < 0 ? value : value.substring(0, space)).toUpperCase(Locale.ROOT);
  }

  /** Whether there is an address of the writer in {@code text}, or any address. */
  boolean carries(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    for (String each : texts) {
      if (lower.contains(each)) {
        return true;
      }
    }
    for (IpAddress ip : literals(text)) {
      if (!ip.isUnspecified()) {
        return true;
      }
    }
    return false;
  }

  /** The IP addresses that stand in {@code text}; time in proportion to its length. */
  static List<IpAddress> literals(String text) {
    var found = new ArrayList<IpAddress>(0);
    int start = 0;
    while (start < text.length()) {
      if (!isLiteral(text.charAt(start))) {
        start++;
        continue;
      }
      int end = start;
      int colons = 0;
      int dots = 0;
      while (end < text.length() && isLiteral(text.charAt(end))) {
        char c = text.charAt(end++);
        colons += c == ':' ? 1 : 0;
        dots += c == '.' ? 1 : 0;
      }
      if (colons < 2 && dots < 3) {
        start = end;
        continue;
      }
      String run = text.substring(start, end);
      if (colons >= 2 && run.length() <= 64) {
        // The colon before it may be that of "name:", the one behind it that of a port.
        IpAddress.parse(run)
            .or(() -> IpAddress.parse(run.substring(run.indexOf(':') + 1)))
            .or(() -> IpAddress.parse(run.substring(0, run.lastIndexOf(':'))))
            .ifPresent(found::add);
      }
      addQuads(found, run);
      start = end;
    }
    return found;
  }

  private static void addQuads(List<IpAddress> found, String run) {
    int start = 0;
    while (start < run.length()) {
      int end = start;
      int dots = 0;
      while (end < run.length() && isQuad(run.charAt(end))) {
        dots += run.charAt(end++) == '.' ? 1 : 0;
      }
      int trimmed = end;
      if (trimmed > start && run.charAt(trimmed - 1) == '.') {
        trimmed--;
        dots--;
      }
      if (dots == 3 && trimmed - start <= 15) {
        IpAddress.parse(run.substring(start, trimmed)).ifPresent(found::add);
      }
      start = end + 1;
    }
  }

  private static boolean isQuad(char c) {
    return c >= '0' && c <= '9' || c == '.';
  }

  private static boolean isLiteral(char c) {
    return isQuad(c) || c == ':' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F';
  }
}
