package io.sippbx.shared.sdp;

import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One media line and the lines that belong to it. Immutable; views never throw; a changed one has
 * all other lines as they were.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc8866#section-5.14">RFC 8866 5.14</a>
 */
public final class MediaDescription {

  private final List<SdpLine> lines;
  private final MediaLine line;
  private final Optional<Connection> ownConnection;
  private final @Nullable Direction ownDirection;
  private final Optional<Connection> sessionConnection;
  private final Direction sessionDirection;

  // A race makes the same list twice.
  private @Nullable List<RtpMap> rtpMaps;

  private MediaDescription(
      List<SdpLine> lines,
      MediaLine line,
      Optional<Connection> sessionConnection,
      Direction sessionDirection) {
    this(lines, line, connectionOf(lines), directionOf(lines), sessionConnection, sessionDirection);
  }

  private MediaDescription(
      List<SdpLine> lines,
      MediaLine line,
      Optional<Connection> ownConnection,
      @Nullable Direction ownDirection,
      Optional<Connection> sessionConnection,
      Direction sessionDirection) {
    this.lines = lines;
    this.line = line;
    this.ownConnection = ownConnection;
    this.ownDirection = ownDirection;
    this.sessionConnection = sessionConnection;
    this.sessionDirection = sessionDirection;
  }

  /** The description of lines of which the first is an "m=" line that parses. */
  static MediaDescription of(
      List<SdpLine> lines,
      MediaLine line,
      Optional<Connection> sessionConnection,
      Direction sessionDirection) {
    return new MediaDescription(List.copyOf(lines), line, sessionConnection, sessionDirection);
  }

  MediaDescription inheriting(Optional<Connection> connection, Direction direction) {
    return connection.equals(sessionConnection) && direction == sessionDirection
        ? this
        : new MediaDescription(lines, line, ownConnection, ownDirection, connection, direction);
  }

  static Optional<Connection> connectionOf(List<SdpLine> lines) {
    for (SdpLine line : lines) {
      if (line.type() == 'c') {
        return Connection.parse(line.value());
      }
    }
    return Optional.empty();
  }

  /** What the first line says that says one; null: none does. */
  static @Nullable Direction directionOf(List<SdpLine> lines) {
    for (SdpLine line : lines) {
      Direction direction = Direction.saidBy(line);
      if (direction != null) {
        return direction;
      }
    }
    return null;
  }

  /** All lines, the "m=" line first. */
  public List<SdpLine> lines() {
    return lines;
  }

  /** "audio", "video", "image" ..., in lower case. */
  public String media() {
    return line.media();
  }

  /** 0 to 65535; 0: rejected or disabled. */
  public int port() {
    return line.port();
  }

  /** How many port pairs, 1 unless it was said. */
  public int portCount() {
    return line.portCount();
  }

  /** The transport as written: "RTP/AVP", "udptl" ... */
  public String protocol() {
    return line.protocol();
  }

  /** Formats as written; for RTP, payload types. Empty only where the port is 0. */
  public List<String> formats() {
    return line.formats();
  }

  /** Whether the line is neither rejected nor disabled. */
  public boolean isActive() {
    return line.port() != 0;
  }

  /** Whether the transport is RTP of any profile. */
  public boolean isRtp() {
    return line.protocol().toUpperCase(Locale.ROOT).contains("RTP/");
  }

  /** Formats that are RTP payload types, in order; none where the transport is not RTP. */
  public List<Integer> payloadTypes() {
    var types = new ArrayList<Integer>(line.formats().size());
    if (isRtp()) {
      for (String format : line.formats()) {
        int type = Fields.number(format, 127);
        if (type >= 0) {
          types.add(type);
        }
      }
    }
    return types;
  }

  /** The line's own connection, else the session's; empty at most where the port is 0. */
  public Optional<Connection> connection() {
    return ownConnection.isPresent() ? ownConnection : sessionConnection;
  }

  /** The line's own direction, else the session's, else sendrecv. */
  public Direction direction() {
    return ownDirection == null ? sessionDirection : ownDirection;
  }

  /**
   * Which way media flows when a connection that says "hold" is taken at its word: the writer does
   * not receive.
   *
   * @see <a href="https://www.rfc-editor.org/rfc/rfc3264#section-8.4">RFC 3264 8.4</a>
   */
  public Direction effectiveDirection() {
    Direction said = direction();
    return isHeldByAddress() ? Direction.of(said.sends(), false) : said;
  }

  /** Whether the connection says that nothing shall be sent (0.0.0.0). */
  public boolean isHeldByAddress() {
    return connection().map(Connection::isHold).orElse(false);
  }

  /**
   * Where RTP shall be sent: empty when the line is not active, the address says "hold", is a
   * group's, or is a name, which nobody looks up here.
   */
  public Optional<Endpoint> rtp() {
    return isActive()
        ? unicast(connection()).map(ip -> new Endpoint(ip, line.port()))
        : Optional.empty();
  }

  /** Where the line says that RTCP shall be sent; empty when it does not say or {@link #rtp} is. */
  public Optional<Endpoint> rtcp() {
    Optional<Endpoint> rtp = rtp();
    Optional<RtcpAddress> said = rtcpAddress();
    if (rtp.isEmpty() || said.isEmpty() || said.get().port() == 0) {
      return Optional.empty();
    }
    Optional<Connection> connection = said.get().connection();
    return connection.isEmpty()
        ? Optional.of(rtp.get().withPort(said.get().port()))
        : unicast(connection).map(ip -> new Endpoint(ip, said.get().port()));
  }

  private static Optional<IpAddress> unicast(Optional<Connection> connection) {
    return connection.isEmpty()
            || connection.get().isHold()
            || connection.get().isMulticast()
            || !connection.get().isInternet()
        ? Optional.empty()
        : connection.get().ip();
  }

  /** The "rtcp" attribute, where there is one that parses. */
  public Optional<RtcpAddress> rtcpAddress() {
    return attribute("rtcp").map(RtcpAddress::parse);
  }

  /**
   * Whether RTP and RTCP may share a port.
   *
   * @see <a href="https://www.rfc-editor.org/rfc/rfc5761#section-5.1.1">RFC 5761 5.1.1</a>
   */
  public boolean rtcpMux() {
    return hasAttribute("rtcp-mux");
  }

  /** Packet time in milliseconds, where it is said. */
  public OptionalInt ptime() {
    int value = attribute("ptime").map(v -> Fields.number(v.strip(), 10_000)).orElse(-1);
    return value < 0 ? OptionalInt.empty() : OptionalInt.of(value);
  }

  /** What a payload type means: by its "rtpmap", else by the static table. */
  public Optional<RtpMap> rtpMap(int payloadType) {
    for (RtpMap map : rtpMaps()) {
      if (map.payloadType() == payloadType) {
        return Optional.of(map);
      }
    }
    return RtpMap.ofStatic(payloadType);
  }

  private List<RtpMap> rtpMaps() {
    List<RtpMap> maps = rtpMaps;
    if (maps == null) {
      maps = new ArrayList<>();
      for (SdpLine each : lines) {
        RtpMap map = each.isAttribute("rtpmap") ? RtpMap.parse(each.attributeValue()) : null;
        if (map != null) {
          maps.add(map);
        }
      }
      maps = List.copyOf(maps);
      rtpMaps = maps;
    }
    return maps;
  }

  /** The parameters of a format, from its "fmtp". */
  public Optional<String> fmtp(String format) {
    for (SdpLine line : lines) {
      if (line.isAttribute("fmtp")) {
        String value = line.attributeValue();
        if (value.startsWith(format + " ")) {
          return Optional.of(value.substring(format.length() + 1));
        }
      }
    }
    return Optional.empty();
  }

  /** Whether the line has this attribute itself. */
  public boolean hasAttribute(String name) {
    for (SdpLine line : lines) {
      if (line.isAttribute(name)) {
        return true;
      }
    }
    return false;
  }

  /** The value of the line's first attribute of this name; "" where it has no value. */
  public Optional<String> attribute(String name) {
    for (SdpLine line : lines) {
      if (line.isAttribute(name)) {
        return Optional.of(line.attributeValue());
      }
    }
    return Optional.empty();
  }

  /** With this port, and of one pair. */
  public MediaDescription withPort(int port) {
    return withMediaLine(new MediaLine(media(), port, 1, protocol(), formats()));
  }

  /** With these formats in this order; attributes of others stay. */
  public MediaDescription withFormats(List<String> formats) {
    return withMediaLine(new MediaLine(media(), port(), portCount(), protocol(), formats));
  }

  private MediaDescription withMediaLine(MediaLine changed) {
    if (changed.equals(line)) {
      return this;
    }
    var changedLines = new ArrayList<>(lines);
    changedLines.set(0, changed.line());
    return new MediaDescription(
        List.copyOf(changedLines), changed, sessionConnection, sessionDirection);
  }

  /** Port 0, and of what belongs to the line only its "mid", which a group may name. */
  public MediaDescription rejected() {
    return withPort(0).without(line -> line.type() != 'm' && !line.isAttribute("mid"));
  }

  /** With a connection of its own, in the place of the former or where the RFC wants it. */
  public MediaDescription withConnection(Connection connection) {
    return withLines(replacing(lines, l -> l.type() == 'c', connection.line(), "mi"));
  }

  /** With this direction; said anew only when it differs from what holds now. */
  public MediaDescription withDirection(Direction direction) {
    return direction() == direction
        ? this
        : withLines(replacing(lines, MediaDescription::isDirection, direction.line(), null));
  }

  static boolean isDirection(SdpLine line) {
    return Direction.saidBy(line) != null;
  }

  /** With this "rtcp" attribute. */
  public MediaDescription withRtcp(RtcpAddress rtcp) {
    return withLines(replacing(lines, l -> l.isAttribute("rtcp"), rtcp.line(), null));
  }

  /** With this line at the end. */
  public MediaDescription with(SdpLine added) {
    var changed = new ArrayList<>(lines);
    changed.add(added);
    return withLines(changed);
  }

  /** Without the lines that meet {@code condition}; the "m=" line always stays. */
  public MediaDescription without(Predicate<SdpLine> condition) {
    var kept = new ArrayList<SdpLine>(lines.size());
    for (SdpLine each : lines) {
      if (each.type() == 'm' || !condition.test(each)) {
        kept.add(each);
      }
    }
    return withLines(kept);
  }

  private MediaDescription withLines(List<SdpLine> changed) {
    return changed.equals(lines)
        ? this
        : new MediaDescription(List.copyOf(changed), line, sessionConnection, sessionDirection);
  }

  /**
   * The lines with {@code line} in the place of the first that matches, further ones that match
   * left out. If none does, it goes after the last line of a type of {@code after}, or to the end.
   */
  static List<SdpLine> replacing(
      List<SdpLine> lines, Predicate<SdpLine> matches, SdpLine line, @Nullable String after) {
    var changed = new ArrayList<SdpLine>(lines.size() + 1);
    boolean done = false;
    for (SdpLine each : lines) {
      if (!matches.test(each)) {
        changed.add(each);
      } else if (!done) {
        changed.add(line);
        done = true;
      }
    }
    if (!done) {
      int at = changed.size();
      if (after != null) {
        while (at > 0 && after.indexOf(changed.get(at - 1).type()) < 0) {
          at--;
        }
      }
      changed.add(at, line);
    }
    return changed;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof MediaDescription that
        && lines.equals(that.lines)
        && sessionConnection.equals(that.sessionConnection)
        && sessionDirection == that.sessionDirection;
  }

  @Override
  public int hashCode() {
    return Objects.hash(lines, sessionConnection);
  }

  /** The lines, parted by line feeds. */
  @Override
  public String toString() {
    var text = new StringBuilder();
    for (SdpLine each : lines) {
      text.append(each).append('\n');
    }
    return text.toString();
  }
}
