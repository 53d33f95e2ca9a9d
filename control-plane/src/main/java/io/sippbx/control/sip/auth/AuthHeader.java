package io.sippbx.control.sip.auth;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A challenge or credentials as written: a scheme and its parameters, values without their quotes.
 *
 * <p>Tolerant where field equipment is wrong and nothing is lost: a value may be quoted or not
 * whatever the grammar says, there may be white space about {@code =} and {@code ,}, and empty
 * elements between commas.
 */
record AuthHeader(String scheme, Map<String, String> params) {

  /** Parameters of one header field; more is malformed. */
  static final int MAX_PARAMS = 32;

  /** A parameter; names in lower case. */
  Optional<String> param(String name) {
    return Optional.ofNullable(params.get(name));
  }

  /** A parameter that was found to be there. */
  String required(String name) {
    return param(name).orElseThrow();
  }

  boolean isDigest() {
    return scheme.equalsIgnoreCase("Digest");
  }

  /** What became of the text. */
  sealed interface Result {
    record Parsed(AuthHeader header) implements Result {}

    record Malformed(String reason) implements Result {}
  }

  /** Reads the value of an Authorization, Proxy-Authorization, WWW- or Proxy-Authenticate field. */
  static Result parse(String text) {
    int at = skipSpace(text, 0);
    int start = at;
    while (at < text.length() && isTokenChar(text.charAt(at))) {
      at++;
    }
    if (at == start) {
      return new Result.Malformed("no authentication scheme");
    }
    String scheme = text.substring(start, at);
    if (!scheme.equalsIgnoreCase("Digest")) {
      // The grammar of another scheme is not ours to judge.
      return new Result.Parsed(new AuthHeader(scheme, new LinkedHashMap<>()));
    }
    if (at < text.length() && !isSpace(text.charAt(at))) {
      return new Result.Malformed("no space after the scheme");
    }
    var params = new LinkedHashMap<String, String>();
    while (true) {
      at = skipSpace(text, at);
      if (at == text.length()) {
        return new Result.Parsed(new AuthHeader(scheme, params));
      }
      if (text.charAt(at) == ',') {
        at++;
        continue;
      }
      start = at;
      while (at < text.length() && isTokenChar(text.charAt(at))) {
        at++;
      }
      String name = text.substring(start, at).toLowerCase(Locale.ROOT);
      at = skipSpace(text, at);
      if (name.isEmpty() || at == text.length() || text.charAt(at) != '=') {
        return new Result.Malformed("expected name=value");
      }
      at = skipSpace(text, at + 1);
      var value = new StringBuilder();
      at =
          at < text.length() && text.charAt(at) == '"'
              ? quoted(text, at, value)
              : bare(text, at, value);
      if (at < 0) {
        return new Result.Malformed("unterminated quoted string");
      }
      at = skipSpace(text, at);
      if (at < text.length() && text.charAt(at) != ',') {
        return new Result.Malformed("expected a comma after " + printable(name));
      }
      if (params.put(name, value.toString()) != null) {
        return new Result.Malformed("parameter given twice: " + printable(name));
      }
      if (params.size() > MAX_PARAMS) {
        return new Result.Malformed("more than " + MAX_PARAMS + " parameters");
      }
    }
  }

  /** Appends {@code name="value"} with what must be escaped escaped. */
  static void appendQuoted(StringBuilder to, String name, String value) {
    to.append(name).append("=\"");
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"' || c == '\\') {
        to.append('\\');
      }
      // A line end would end the header field.
      to.append(c == '\r' || c == '\n' ? ' ' : c);
    }
    to.append('"');
  }

  private static int quoted(String text, int at, StringBuilder value) {
    for (int i = at + 1; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"') {
        return i + 1;
      }
      if (c == '\\') {
        i++;
        if (i == text.length()) {
          return -1;
        }
      }
      value.append(text.charAt(i));
    }
    return -1;
  }

  private static int bare(String text, int at, StringBuilder value) {
    int i = at;
    while (i < text.length() && text.charAt(i) != ',' && !isSpace(text.charAt(i))) {
      value.append(text.charAt(i++));
    }
    return i;
  }

  private static String printable(String name) {
    return name.length() > 32 ? name.substring(0, 32) : name;
  }

  private static int skipSpace(String text, int at) {
    int i = at;
    while (i < text.length() && isSpace(text.charAt(i))) {
      i++;
    }
    return i;
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
  }

  private static boolean isTokenChar(char c) {
    return c >= 'a' && c <= 'z'
        || c >= 'A' && c <= 'Z'
        || c >= '0' && c <= '9'
        || "-.!%*_+`'~".indexOf(c) >= 0;
  }
}
