package io.sippbx.shared.sdp;

import io.sippbx.shared.identity.Content;
import io.sippbx.shared.sdp.SdpParseResult.Malformed;
import io.sippbx.shared.sdp.SdpParseResult.Parsed;
import io.sippbx.shared.sdp.SdpParseResult.Problem;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A session description, kept line by line. Immutable; views never throw; a changed one has all
 * other lines as they were.
 *
 * <p>What a relay has to understand is checked when it is read: "v=" comes first, there is one
 * "o=", each "m=" and "c=" parses, and each active media line has a connection. All else is kept
 * unread: lines of unknown types, attributes, and the order of lines.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc8866">RFC 8866</a>
 */
public final class SessionDescription {

  private final List<SdpLine> sessionLines;
  private final List<MediaDescription> media;
  private final Origin origin;
  private final Optional<Connection> connection;
  private final Direction direction;

  // A race makes the same value twice.
  private @Nullable Content content;

  private SessionDescription(
      List<SdpLine> sessionLines, List<MediaDescription> media, Origin origin) {
    this.sessionLines = List.copyOf(sessionLines);
    this.origin = origin;
    this.connection = MediaDescription.connectionOf(sessionLines);
    Direction said = MediaDescription.directionOf(sessionLines);
    this.direction = said == null ? Direction.SENDRECV : said;
    var inheriting = new ArrayList<MediaDescription>(media.size());
    for (MediaDescription each : media) {
      inheriting.add(each.inheriting(connection, direction));
    }
    this.media = List.copyOf(inheriting);
  }

  /**
   * Reads a description. Never throws; costs time and memory in proportion to {@code body}'s
   * length, which is not kept.
   */
  public static SdpParseResult parse(byte[] body, SdpLimits limits) {
    return new SdpReader(body, limits).read();
  }

  /** Makes the description of what {@link SdpReader} found, if it is whole. */
  static SdpParseResult assemble(
      List<SdpLine> sessionLines, List<MediaDescription> media, @Nullable Origin origin) {
    if (origin == null) {
      return new Malformed(Problem.SYNTAX, "no o= line before the first m= line", 0);
    }
    var description = new SessionDescription(sessionLines, media, origin);
    for (MediaDescription each : description.media) {
      if (each.isActive() && each.connection().isEmpty()) {
        // RFC 8866 5.7: a "c=" in each media description or one at session level.
        return new Malformed(Problem.SYNTAX, "no c= line for an m= line", 0);
      }
    }
    return new Parsed(description);
  }

  /** Lines before the first media line. */
  public List<SdpLine> sessionLines() {
    return sessionLines;
  }

  /** Media lines in order, rejected ones too. */
  public List<MediaDescription> media() {
    return media;
  }

  /** Who described the session. */
  public Origin origin() {
    return origin;
  }

  /** The connection at session level. */
  public Optional<Connection> connection() {
    return connection;
  }

  /** The direction at session level; sendrecv where none is given. */
  public Direction direction() {
    return direction;
  }

  /** The value of the first attribute of this name at session level; "" where it has no value. */
  public Optional<String> attribute(String name) {
    for (SdpLine line : sessionLines) {
      if (line.isAttribute(name)) {
        return Optional.of(line.attributeValue());
      }
    }
    return Optional.empty();
  }

  /** Whether all lines but "o=" are the same. */
  public boolean sameApartFromOrigin(SessionDescription other) {
    // By a line of ours in both: one origin can be written in several ways.
    Origin none = new Origin("-", "0", "0", "IN", "IP4", "0.0.0.0");
    return withOrigin(none).equals(other.withOrigin(none));
  }

  /** With this origin. */
  public SessionDescription withOrigin(Origin changed) {
    List<SdpLine> lines =
        MediaDescription.replacing(sessionLines, l -> l.type() == 'o', changed.line(), "v");
    return lines.equals(sessionLines) ? this : new SessionDescription(lines, media, changed);
  }

  /** With this connection at session level, in the place of the former or where the RFC wants. */
  public SessionDescription withConnection(Connection changed) {
    return withSessionLines(
        MediaDescription.replacing(sessionLines, l -> l.type() == 'c', changed.line(), "vosiuep"));
  }

  /** With this session name. */
  public SessionDescription withSessionName(String name) {
    return withSessionLines(
        MediaDescription.replacing(
            sessionLines, l -> l.type() == 's', new SdpLine('s', name), "vo"));
  }

  /** With a "t=0 0" if there is no "t=" line at all. */
  public SessionDescription withTime() {
    for (SdpLine line : sessionLines) {
      if (line.type() == 't') {
        return this;
      }
    }
    return withSessionLines(
        MediaDescription.replacing(
            sessionLines, l -> l.type() == 't', new SdpLine('t', "0 0"), "vosiuepcb"));
  }

  /**
   * Without the lines at session level that meet {@code condition}; "v=" and "o=" always stay, and
   * what media lines inherit from a line that goes is lost to them.
   */
  public SessionDescription withoutSessionLines(Predicate<SdpLine> condition) {
    var kept = new ArrayList<SdpLine>(sessionLines.size());
    for (SdpLine line : sessionLines) {
      if (line.type() == 'v' || line.type() == 'o' || !condition.test(line)) {
        kept.add(line);
      }
    }
    return withSessionLines(kept);
  }

  private SessionDescription withSessionLines(List<SdpLine> changed) {
    return changed.equals(sessionLines) ? this : new SessionDescription(changed, media, origin);
  }

  /** With {@code change} made to the media line at {@code index}. */
  public SessionDescription withMedia(int index, UnaryOperator<MediaDescription> change) {
    var changed = new ArrayList<>(media);
    changed.set(index, change.apply(media.get(index)));
    return withMedia(changed);
  }

  /** With these media lines. */
  public SessionDescription withMedia(List<MediaDescription> changed) {
    return changed.equals(media) ? this : new SessionDescription(sessionLines, changed, origin);
  }

  /** The body of a message: each line ends with CR and LF. A new array. */
  public byte[] toBytes() {
    int length = 0;
    for (SdpLine line : sessionLines) {
      length += line.value().length() + 4;
    }
    for (MediaDescription each : media) {
      for (SdpLine line : each.lines()) {
        length += line.value().length() + 4;
      }
    }
    var text = new StringBuilder(length);
    append(text, sessionLines);
    for (MediaDescription each : media) {
      append(text, each.lines());
    }
    return text.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  /** The same octets, with a name for them. */
  public Content content() {
    Content value = content;
    if (value == null) {
      value = Content.of(toBytes());
      content = value;
    }
    return value;
  }

  /**
   * Tells how the octets of the description are called, which else would be digested for it.
   *
   * @param known what {@link #content} was before it was written down
   */
  public void content(Content known) {
    content = known;
  }

  private static void append(StringBuilder text, List<SdpLine> lines) {
    for (SdpLine line : lines) {
      text.append(line.type()).append('=').append(line.value()).append("\r\n");
    }
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof SessionDescription that
        && sessionLines.equals(that.sessionLines)
        && media.equals(that.media);
  }

  @Override
  public int hashCode() {
    return 31 * sessionLines.hashCode() + media.hashCode();
  }

  /** The lines, parted by line feeds. */
  @Override
  public String toString() {
    var text = new StringBuilder();
    for (SdpLine line : sessionLines) {
      text.append(line).append('\n');
    }
    for (MediaDescription each : media) {
      text.append(each);
    }
    return text.toString();
  }
}
