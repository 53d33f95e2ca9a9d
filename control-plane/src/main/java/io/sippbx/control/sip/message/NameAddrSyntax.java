package io.sippbx.control.sip.message;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The grammar of values that are a URI with or without a display name and angle brackets, of Via
 * values, and of their parameters: checks and views from one scan.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-20.10">RFC 3261 20.10, 20.20, 20.39,
 *     20.42, 25.1</a>
 */
final class NameAddrSyntax {

  /** What one value may have of parameters, so that finding one by name has a bound. */
  static final int MAX_PARAMS = 64;

  private NameAddrSyntax() {}

  /**
   * Checks one name-addr or addr-spec with its parameters, white space around it included; the
   * index after it (at the comma or the end), or {@code ~index}.
   *
   * @param brackets whether angle brackets are a must (Route, Record-Route, Path)
   */
  static int scan(byte[] b, int start, int end, boolean brackets, Spans s) {
    int i = Chars.skipWs(b, start, end);
    s.nameStart = i;
    s.nameEnd = -1;
    s.displayQuoted = false;
    if (i < end && b[i] == '"') {
      i = Chars.quoted(b, i, end);
      if (i < 0) {
        return i;
      }
      s.displayQuoted = true;
      s.nameEnd = i;
      i = Chars.skipWs(b, i, end);
    } else {
      int word = i;
      i = skipWord(b, i, end);
      if (i < end && b[i] == ':' && i > word) {
        return brackets ? ~word : bare(b, word, end, s);
      }
      while (i > word) {
        s.nameEnd = i;
        word = Chars.skipWs(b, i, end);
        i = skipWord(b, word, end);
      }
      i = word;
    }
    if (i >= end || b[i] != '<') {
      return ~i;
    }
    s.uriStart = ++i;
    while (i < end && b[i] != '>') {
      i++;
    }
    if (i >= end) {
      return ~i;
    }
    s.uriEnd = i;
    int uri = UriSyntax.scan(b, s.uriStart, i, s);
    return uri < 0 ? uri : params(b, i + 1, end, s);
  }

  /** A URI without brackets: what follows a semicolon is the header's, not the URI's (20). */
  private static int bare(byte[] b, int start, int end, Spans s) {
    int i = start;
    while (i < end && b[i] != ';' && b[i] != ',' && b[i] != '?' && !Chars.is(b[i], Chars.WS)) {
      i++;
    }
    if (i < end && b[i] == '?') {
      return ~i;
    }
    s.uriStart = start;
    s.uriEnd = i;
    int uri = UriSyntax.scan(b, start, i, s);
    return uri < 0 ? uri : params(b, i, end, s);
  }

  /** A token; octets above ASCII are taken too, since names come unquoted. */
  private static int skipWord(byte[] b, int start, int end) {
    int i = start;
    while (i < end && (b[i] < 0 || Chars.is(b[i], Chars.TOKEN))) {
      i++;
    }
    return i;
  }

  /** Checks parameters and the white space around them; the index of the comma or the end. */
  static int params(byte[] b, int start, int end, Spans s) {
    int i = Chars.skipWs(b, start, end);
    s.paramsStart = i;
    int count = 0;
    while (i < end && b[i] == ';') {
      int name = Chars.skipWs(b, i + 1, end);
      i = Chars.skip(b, name, end, Chars.TOKEN);
      if (i == name || ++count > MAX_PARAMS) {
        return ~name;
      }
      i = Chars.skipWs(b, i, end);
      if (i < end && b[i] == '=') {
        int value = Chars.skipWs(b, i + 1, end);
        i =
            value < end && b[value] == '"'
                ? Chars.quoted(b, value, end)
                : Chars.skip(b, value, end, Chars.VALUE);
        if (i < 0 || i == value) {
          return i < 0 ? i : ~i;
        }
        i = Chars.skipWs(b, i, end);
      }
    }
    s.paramsEnd = i;
    return i == end || b[i] == ',' ? i : ~i;
  }

  /** Parameters of a span that has been checked. */
  static Params paramsView(byte[] b, int start, int end) {
    if (start >= end) {
      return Params.EMPTY;
    }
    List<Params.Param> list = new ArrayList<>(4);
    int i = start;
    while (i < end && b[i] == ';') {
      int name = Chars.skipWs(b, i + 1, end);
      int nameEnd = Chars.skip(b, name, end, Chars.TOKEN);
      i = Chars.skipWs(b, nameEnd, end);
      String value = null;
      if (i < end && b[i] == '=') {
        int start2 = Chars.skipWs(b, i + 1, end);
        boolean quoted = b[start2] == '"';
        i = quoted ? Chars.quoted(b, start2, end) : Chars.skip(b, start2, end, Chars.VALUE);
        value = quoted ? quotedValue(b, start2, i) : Text.word(b, start2, i);
        i = Chars.skipWs(b, i, end);
      }
      list.add(new Params.Param(Text.word(b, name, nameEnd), value));
    }
    return Params.ofOwned(list);
  }

  /** As it stands, but for folds and for control characters, which no builder would write. */
  private static String quotedValue(byte[] b, int start, int end) {
    String text = Text.unfolded(b, start, end);
    if (!Text.hasControl(text)) {
      return text;
    }
    var clean = new StringBuilder(text.length());
    Text.appendQuoted(clean, Text.unquoted(text));
    return clean.toString();
  }

  static NameAddr view(byte[] b, Spans s) {
    Optional<String> display = Optional.empty();
    if (s.nameEnd >= 0) {
      String text = Text.unfolded(b, s.nameStart, s.nameEnd);
      display = Optional.of(s.displayQuoted ? Text.unquoted(text) : text);
    }
    return new NameAddr(
        display,
        UriSyntax.view(b, s.uriStart, s.uriEnd),
        paramsView(b, s.paramsStart, s.paramsEnd));
  }

  /** Checks one Via value: sent-protocol, sent-by and parameters; as {@link #scan}. */
  static int scanVia(byte[] b, int start, int end, Spans s) {
    int i = Chars.skipWs(b, start, end);
    for (int part = 0; part < 3; part++) {
      if (part > 0) {
        i = Chars.skipWs(b, i, end);
        if (i >= end || b[i] != '/') {
          return ~i;
        }
        i = Chars.skipWs(b, i + 1, end);
      }
      int token = i;
      i = Chars.skip(b, i, end, Chars.TOKEN);
      if (i == token) {
        return ~i;
      }
      s.nameStart = token;
      s.nameEnd = i;
    }
    int host = Chars.skipWs(b, i, end);
    if (host == i) {
      return ~i;
    }
    i = UriSyntax.hostPort(b, host, end, s, true);
    return i < 0 ? i : params(b, i, end, s);
  }

  static Via viewVia(byte[] b, Spans s) {
    return new Via(
        Text.word(b, s.nameStart, s.nameEnd),
        Text.ascii(b, s.hostStart, s.hostEnd),
        s.port == 0 ? OptionalInt.empty() : OptionalInt.of(s.port),
        paramsView(b, s.paramsStart, s.paramsEnd));
  }
}
