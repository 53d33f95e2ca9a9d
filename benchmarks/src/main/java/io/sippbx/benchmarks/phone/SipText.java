package io.sippbx.benchmarks.phone;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A SIP message as a phone sees it: lines. What it needs of RFC 3261, no more: fields by their full
 * names, one value a line.
 *
 * @param start the request line or status line
 * @param fields in their order, without Content-Length
 */
public record SipText(String start, List<Field> fields, String body) {

  /** A header field. */
  public record Field(String name, String value) {}

  private static final Pattern TAG = Pattern.compile(";\\s*tag=([^;,\\s>]+)");
  private static final Pattern BRANCH = Pattern.compile(";\\s*branch=([^;,\\s]+)");
  private static final Pattern URI = Pattern.compile("<([^>]+)>");
  private static final String LENGTH = "Content-Length";

  public SipText {
    fields = List.copyOf(fields);
  }

  /** A message without a body. */
  static SipText of(String start, List<Field> fields) {
    return new SipText(start, fields, "");
  }

  /**
   * The message in these octets.
   *
   * @throws IllegalArgumentException if it is none
   */
  static SipText parse(byte[] octets) {
    String text = new String(octets, StandardCharsets.UTF_8);
    int end = text.indexOf("\r\n\r\n");
    if (end < 0) {
      throw new IllegalArgumentException("Expected an empty line, but got: " + text);
    }
    String[] lines = text.substring(0, end).split("\r\n", -1);
    var fields = new ArrayList<Field>();
    for (int i = 1; i < lines.length; i++) {
      int colon = lines[i].indexOf(':');
      if (colon <= 0) {
        throw new IllegalArgumentException("Expected a header field, but got: " + lines[i]);
      }
      String name = lines[i].substring(0, colon).strip();
      if (!name.equalsIgnoreCase(LENGTH)) {
        fields.add(new Field(name, lines[i].substring(colon + 1).strip()));
      }
    }
    return new SipText(lines[0], fields, text.substring(end + 4));
  }

  /** As it goes over the wire. */
  byte[] octets() {
    byte[] content = body.getBytes(StandardCharsets.UTF_8);
    var text = new StringBuilder(start).append("\r\n");
    for (Field each : fields) {
      text.append(each.name()).append(": ").append(each.value()).append("\r\n");
    }
    text.append(LENGTH).append(": ").append(content.length).append("\r\n\r\n").append(body);
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  boolean isRequest() {
    return !start.startsWith("SIP/2.0 ");
  }

  /** Of the request, or of the request that this answers. */
  public String method() {
    if (isRequest()) {
      return start.substring(0, start.indexOf(' '));
    }
    String cseq = field("CSeq");
    return cseq.substring(cseq.indexOf(' ') + 1).strip();
  }

  /** The status code of a response. */
  public int status() {
    return Integer.parseInt(start, 8, 11, 10);
  }

  /** The first value of a field, or nothing. */
  Optional<String> find(String name) {
    return fields.stream()
        .filter(each -> each.name().equalsIgnoreCase(name))
        .map(Field::value)
        .findFirst();
  }

  /**
   * The first value of a field.
   *
   * @throws IllegalArgumentException if there is none
   */
  String field(String name) {
    return find(name)
        .orElseThrow(() -> new IllegalArgumentException("Expected " + name + " in: " + start));
  }

  /** All fields of a name. */
  List<Field> all(String name) {
    return fields.stream().filter(each -> each.name().equalsIgnoreCase(name)).toList();
  }

  public String callId() {
    return field("Call-ID");
  }

  /** The number of the CSeq. */
  public long cseq() {
    return Long.parseLong(field("CSeq").split("\\s+", 2)[0]);
  }

  /** The tag of From or To, or nothing. */
  Optional<String> tag(String name) {
    return first(TAG, field(name));
  }

  /** The branch of the topmost Via. */
  public String branch() {
    return first(BRANCH, field("Via")).orElse("");
  }

  /** The URI of the Contact, or nothing. */
  Optional<String> contact() {
    return find("Contact").flatMap(value -> first(URI, value));
  }

  private static Optional<String> first(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
  }

  /** Where a session description of this message wants audio, as ip and port; nothing if none. */
  Optional<MediaAddress> audio() {
    if (body.isEmpty()) {
      return Optional.empty();
    }
    Matcher host = Pattern.compile("(?m)^c=IN IP[46] (\\S+)").matcher(body);
    Matcher port = Pattern.compile("(?m)^m=audio (\\d+) ").matcher(body);
    return host.find() && port.find() && !port.group(1).equals("0")
        ? Optional.of(new MediaAddress(host.group(1), Integer.parseInt(port.group(1))))
        : Optional.empty();
  }

  /** An address of media. */
  record MediaAddress(String ip, int port) {}

  @Override
  public String toString() {
    return start + " " + find("CSeq").orElse("");
  }
}
