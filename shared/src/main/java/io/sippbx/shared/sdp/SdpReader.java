package io.sippbx.shared.sdp;

import io.sippbx.shared.sdp.SdpParseResult.Malformed;
import io.sippbx.shared.sdp.SdpParseResult.Problem;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads one description in one pass over its octets; used once. */
final class SdpReader {

  private final byte[] body;
  private final SdpLimits limits;
  private final List<SdpLine> sessionLines = new ArrayList<>();
  private final List<MediaDescription> media = new ArrayList<>();

  /** Lines of the media description being read; null while at session level. */
  private @Nullable List<SdpLine> mediaLines;

  private @Nullable MediaLine mediaLine;
  private @Nullable Origin origin;

  SdpReader(byte[] body, SdpLimits limits) {
    this.body = body;
    this.limits = limits;
  }

  SdpParseResult read() {
    if (body.length > limits.bytes()) {
      return new Malformed(Problem.OVER_LIMIT, "more than " + limits.bytes() + " bytes", 0);
    }
    int end = endOfText();
    int number = 0;
    for (int start = 0; start < end; ) {
      int lineEnd = start;
      while (lineEnd < end && body[lineEnd] != '\n') {
        lineEnd++;
      }
      int next = lineEnd + 1;
      // RFC 8866 5: CRLF ends a line, and a lone LF SHOULD be accepted.
      if (lineEnd > start && body[lineEnd - 1] == '\r') {
        lineEnd--;
      }
      number++;
      Malformed problem = readLine(start, lineEnd, number);
      if (problem != null) {
        return problem;
      }
      start = next;
    }
    endMedia();
    if (number == 0) {
      return new Malformed(Problem.SYNTAX, "no lines", 0);
    }
    return SessionDescription.assemble(sessionLines, media, origin);
  }

  /** Where the last line ends: some put empty lines after it. */
  private int endOfText() {
    int end = body.length;
    while (end > 0 && (body[end - 1] == '\n' || body[end - 1] == '\r')) {
      end--;
    }
    return end;
  }

  private @Nullable Malformed readLine(int start, int end, int number) {
    if (number > limits.lines()) {
      return new Malformed(Problem.OVER_LIMIT, "more than " + limits.lines() + " lines", number);
    }
    if (end - start < 2 || !SdpLine.isLetter(body[start]) || body[start + 1] != '=') {
      return syntax("expected a letter and =", number);
    }
    for (int i = start; i < end; i++) {
      if (body[i] == 0 || body[i] == '\r') {
        return syntax("NUL or CR inside a line", number);
      }
    }
    char type = (char) body[start];
    var line =
        new SdpLine(
            type, new String(body, start + 2, end - start - 2, StandardCharsets.ISO_8859_1));
    if (number == 1 && !(type == 'v' && line.value().strip().equals("0"))) {
      return syntax("expected v=0", number);
    }
    return switch (type) {
      case 'v' -> number == 1 ? add(line) : syntax("a second v= line", number);
      case 'o' -> readOrigin(line, number);
      case 'c' ->
          Connection.parse(line.value()).isPresent() ? add(line) : syntax("c= line", number);
      case 'm' -> readMedia(line, number);
      default -> add(line);
    };
  }

  private @Nullable Malformed readOrigin(SdpLine line, int number) {
    Optional<Origin> read = Origin.parse(line.value());
    if (read.isEmpty() || origin != null || mediaLines != null) {
      return syntax("o= line", number);
    }
    origin = read.get();
    return add(line);
  }

  private @Nullable Malformed readMedia(SdpLine line, int number) {
    MediaLine read = MediaLine.parse(line.value());
    if (read == null) {
      return syntax("m= line", number);
    }
    if (read.formats().size() > limits.formats()) {
      return new Malformed(
          Problem.OVER_LIMIT, "more than " + limits.formats() + " formats", number);
    }
    endMedia();
    if (media.size() == limits.mediaLines()) {
      return new Malformed(
          Problem.OVER_LIMIT, "more than " + limits.mediaLines() + " m= lines", number);
    }
    mediaLine = read;
    mediaLines = new ArrayList<>();
    mediaLines.add(line);
    return null;
  }

  private @Nullable Malformed add(SdpLine line) {
    (mediaLines == null ? sessionLines : mediaLines).add(line);
    return null;
  }

  private void endMedia() {
    if (mediaLines != null && mediaLine != null) {
      // What is inherited is set when the whole is put together.
      media.add(MediaDescription.of(mediaLines, mediaLine, Optional.empty(), Direction.SENDRECV));
    }
  }

  private static Malformed syntax(String reason, int number) {
    return new Malformed(Problem.SYNTAX, reason, number);
  }
}
