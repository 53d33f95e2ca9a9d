package io.sippbx.control.sip.message;

import java.util.Arrays;
import java.util.List;

/**
 * What the builders of requests and responses share. A builder that starts from a message keeps its
 * fields as octets; only what is set anew is written and checked.
 *
 * <p>Every value is checked as the parser would: a value that the header's grammar does not allow,
 * or with CR, LF, NUL or another control character, is refused with {@link
 * IllegalArgumentException}. So no text can bring in a header of its own.
 *
 * @param <B> the builder itself
 */
public abstract sealed class SipMessageBuilder<B extends SipMessageBuilder<B>>
    permits SipRequest.Builder, SipResponse.Builder {

  static final byte[] SIP_VERSION = Text.bytes("SIP/2.0");
  private static final List<HeaderName> MANDATORY =
      List.of(HeaderName.VIA, HeaderName.FROM, HeaderName.TO, HeaderName.CALL_ID, HeaderName.CSEQ);
  private static final byte[] NO_BODY = {};
  private static final int FIRST_CAPACITY = 768;
  private static final int SPARE = 256;

  /** How many fields more than its source a message is likely to have. */
  private static final int ADDED = 4;

  /** Octets that the fields lie in; those of the source itself until something is added. */
  private byte[] buffer;

  private int used;
  private final Fields fields;
  private byte[] body;
  private int bodyStart;
  private int bodyEnd;
  private final Spans spans = new Spans();

  /** Where the field that was written last has its name and its value. */
  private int writtenName;

  private int writtenValue;

  SipMessageBuilder() {
    buffer = new byte[FIRST_CAPACITY];
    fields = new Fields();
    body = NO_BODY;
  }

  SipMessageBuilder(SipMessage source) {
    buffer = source.bytes;
    used = source.bytes.length;
    fields = new Fields(source.fields, ADDED);
    body = source.bytes;
    bodyStart = source.bodyStart;
    bodyEnd = source.bytes.length;
  }

  abstract B self();

  /** Adds a Via below those that are there. */
  public B via(Via via) {
    return addHeader(HeaderName.VIA, via.toString());
  }

  /** Puts a Via on top. */
  public B prependVia(Via via) {
    int field = fields.next(HeaderName.VIA.id(), 0);
    write(HeaderName.VIA, via.toString());
    insertWritten(Math.max(field, 0), HeaderName.VIA);
    return self();
  }

  /** Puts {@code via} in place of the topmost one; those below stay as they came. */
  public B replaceTopVia(Via via) {
    removeTopVia();
    return prependVia(via);
  }

  /** Takes the topmost Via off, where there is one. */
  public B removeTopVia() {
    int field = fields.next(HeaderName.VIA.id(), 0);
    if (field < 0) {
      return self();
    }
    int end = fields.valueEnd(field);
    int next = NameAddrSyntax.scanVia(buffer, fields.valueStart(field), end, spans) + 1;
    if (next >= end) {
      fields.remove(field);
      return self();
    }
    int rest = Chars.skipWs(buffer, next, end);
    byte[] name = HeaderName.VIA.octets();
    reserve(name.length + 2 + end - rest);
    int nameStart = used;
    writeName(name);
    int valueStart = used;
    System.arraycopy(buffer, rest, buffer, used, end - rest);
    used += end - rest;
    fields.set(field, HeaderName.VIA.id(), nameStart, valueStart, used);
    return self();
  }

  /** Sets From. */
  public B from(NameAddr from) {
    return header(HeaderName.FROM, from.toString());
  }

  /** Sets To. */
  public B to(NameAddr to) {
    return header(HeaderName.TO, to.toString());
  }

  /** Gives To a tag if it has none. To must have been set. */
  B toTag(Tag tag) {
    int field = fields.next(HeaderName.TO.id(), 0);
    if (field < 0) {
      throw new IllegalStateException("Expected a To to give a tag, but there is none");
    }
    int start = fields.valueStart(field);
    int end = fields.valueEnd(field);
    NameAddrSyntax.scan(buffer, start, end, false, spans);
    if (!NameAddrSyntax.paramsView(buffer, spans.paramsStart, spans.paramsEnd).has("tag")) {
      byte[] suffix = Text.bytes(";tag=" + tag.value());
      byte[] name = HeaderName.TO.octets();
      reserve(name.length + 2 + end - start + suffix.length);
      int nameStart = used;
      writeName(name);
      int valueStart = used;
      System.arraycopy(buffer, start, buffer, used, end - start);
      used += end - start;
      writeBytes(suffix, 0, suffix.length);
      fields.set(field, HeaderName.TO.id(), nameStart, valueStart, used);
    }
    return self();
  }

  /** Sets Call-ID. */
  public B callId(CallId callId) {
    return header(HeaderName.CALL_ID, callId.value());
  }

  /** Sets CSeq. */
  public B cSeq(CSeq cSeq) {
    return header(HeaderName.CSEQ, cSeq.toString());
  }

  /** Sets Max-Forwards. */
  public B maxForwards(int hops) {
    return header(HeaderName.MAX_FORWARDS, Integer.toString(hops));
  }

  /** Sets Expires. */
  public B expires(long seconds) {
    return header(HeaderName.EXPIRES, Long.toString(seconds));
  }

  /** Sets Contact to this one value. */
  public B contact(NameAddr contact) {
    return header(HeaderName.CONTACT, contact.toString());
  }

  /** Adds a Contact. */
  public B addContact(NameAddr contact) {
    return addHeader(HeaderName.CONTACT, contact.toString());
  }

  /** Adds a Route below those that are there. */
  public B route(NameAddr route) {
    return addHeader(HeaderName.ROUTE, route.toString());
  }

  /** Sets all of Route; an empty list removes it. */
  public B routes(List<NameAddr> routes) {
    removeHeaders(HeaderName.ROUTE);
    routes.forEach(this::route);
    return self();
  }

  /** Adds a Record-Route below those that are there. */
  public B recordRoute(NameAddr recordRoute) {
    return addHeader(HeaderName.RECORD_ROUTE, recordRoute.toString());
  }

  /**
   * Sets a header to this one field, in the place of the first of that name, or at the end.
   * Content-Length is always set by {@code build}.
   */
  public B header(HeaderName name, String value) {
    int field = fields.next(name, buffer, 0);
    write(name, value);
    if (field < 0) {
      insertWritten(fields.count(), name);
      return self();
    }
    fields.set(field, name.id(), writtenName, writtenValue, used);
    int other = fields.next(name, buffer, field + 1);
    while (other >= 0) {
      fields.remove(other);
      other = fields.next(name, buffer, other);
    }
    return self();
  }

  /**
   * Adds a field below all others; one of a kind that comes once only takes the place of the old.
   */
  public B addHeader(HeaderName name, String value) {
    if (name.form() == HeaderName.Form.SINGLE) {
      return header(name, value);
    }
    write(name, value);
    insertWritten(fields.count(), name);
    return self();
  }

  /** Removes all fields of a name. */
  public B removeHeaders(HeaderName name) {
    int field = fields.next(name, buffer, 0);
    while (field >= 0) {
      fields.remove(field);
      field = fields.next(name, buffer, field);
    }
    return self();
  }

  /**
   * Adds all fields of a name that {@code source} has, octet by octet; of a single one, in its
   * place.
   */
  public B copy(SipMessage source, HeaderName name) {
    if (name.form() == HeaderName.Form.SINGLE && source.hasHeader(name)) {
      removeHeaders(name);
    }
    int field = source.fields.next(name, source.bytes, 0);
    while (field >= 0) {
      copyField(source, field);
      field = source.fields.next(name, source.bytes, field + 1);
    }
    return self();
  }

  /** Adds all fields of {@code source} whose names are not known, octet by octet, unread. */
  public B copyUnknown(SipMessage source) {
    int field = source.fields.next(HeaderName.UNKNOWN_ID, 0);
    while (field >= 0) {
      copyField(source, field);
      field = source.fields.next(HeaderName.UNKNOWN_ID, field + 1);
    }
    return self();
  }

  private void copyField(SipMessage source, int field) {
    int start = source.fields.nameStart(field);
    int end = source.fields.valueEnd(field);
    int shift = used - start;
    reserve(end - start);
    writeBytes(source.bytes, start, end);
    fields.add(
        source.fields.id(field), start + shift, source.fields.valueStart(field) + shift, used);
  }

  /** Sets the body and its type. The octets are taken over, not copied. */
  public B body(String contentType, byte[] octets) {
    header(HeaderName.CONTENT_TYPE, contentType);
    body = octets;
    bodyStart = 0;
    bodyEnd = octets.length;
    return self();
  }

  /** Removes the body and what describes it. */
  public B noBody() {
    removeHeaders(HeaderName.CONTENT_TYPE);
    removeHeaders(HeaderName.CONTENT_DISPOSITION);
    removeHeaders(HeaderName.CONTENT_ENCODING);
    removeHeaders(HeaderName.CONTENT_LANGUAGE);
    body = NO_BODY;
    bodyStart = 0;
    bodyEnd = 0;
    return self();
  }

  boolean has(HeaderName name) {
    return fields.next(name, buffer, 0) >= 0;
  }

  /** Writes and checks a field at the end of the buffer, without entering it in the index. */
  private void write(HeaderName name, String value) {
    if (Text.hasControl(value)) {
      throw new IllegalArgumentException(
          "Expected a value of " + name + " without control characters");
    }
    String text = value.strip();
    reserve(name.octets().length + 2 + text.length());
    writtenName = used;
    writeName(name.octets());
    writtenValue = used;
    writeText(text);
    if (HeaderSyntax.check(name.id(), buffer, writtenValue, used, spans) < 0) {
      used = writtenName;
      throw new IllegalArgumentException("Expected a value of " + name + ", but got " + value);
    }
  }

  private void insertWritten(int field, HeaderName name) {
    fields.insert(field, name.id(), writtenName, writtenValue, used);
  }

  private void reserve(int octets) {
    if (used + octets > buffer.length) {
      buffer = Arrays.copyOf(buffer, used + Math.max(octets, used / 4 + SPARE));
    }
  }

  private void writeName(byte[] name) {
    writeBytes(name, 0, name.length);
    buffer[used++] = ':';
    buffer[used++] = ' ';
  }

  /** Within what is reserved for a text of ASCII; any other reserves what it takes. */
  private void writeText(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) >= 0x80) {
        byte[] octets = Text.bytes(text);
        reserve(octets.length);
        writeBytes(octets, 0, octets.length);
        return;
      }
    }
    for (int i = 0; i < text.length(); i++) {
      buffer[used++] = (byte) text.charAt(i);
    }
  }

  private void writeBytes(byte[] octets, int start, int end) {
    System.arraycopy(octets, start, buffer, used, end - start);
    used += end - start;
  }

  /** Makes the message of what was put together. */
  interface Maker<M> {
    M make(byte[] bytes, Fields fields, int bodyStart);
  }

  /** Puts the message together: a start-line of three parts, fields, Content-Length, body. */
  <M> M assemble(byte[] first, byte[] second, byte[] third, Maker<M> maker) {
    for (HeaderName name : MANDATORY) {
      if (fields.next(name.id(), 0) < 0) {
        throw new IllegalStateException("Expected a message with " + name + ", but it has none");
      }
    }
    header(HeaderName.CONTENT_LENGTH, Integer.toString(bodyEnd - bodyStart));
    int size = first.length + second.length + third.length + 4 + 2 + bodyEnd - bodyStart;
    for (int field = 0; field < fields.count(); field++) {
      size += fields.valueEnd(field) - fields.nameStart(field) + 2;
    }
    var out = new byte[size];
    int at = put(first, 0, first.length, out, 0);
    out[at++] = ' ';
    at = put(second, 0, second.length, out, at);
    out[at++] = ' ';
    at = put(third, 0, third.length, out, at);
    at = lineEnd(out, at);
    var index = new Fields(fields, 0);
    for (int field = 0; field < fields.count(); field++) {
      int shift = at - fields.nameStart(field);
      index.set(
          field,
          fields.id(field),
          at,
          fields.valueStart(field) + shift,
          fields.valueEnd(field) + shift);
      at = lineEnd(out, put(buffer, fields.nameStart(field), fields.valueEnd(field), out, at));
    }
    at = lineEnd(out, at);
    put(body, bodyStart, bodyEnd, out, at);
    return maker.make(out, index, at);
  }

  private static int put(byte[] from, int start, int end, byte[] out, int at) {
    System.arraycopy(from, start, out, at, end - start);
    return at + end - start;
  }

  private static int lineEnd(byte[] out, int at) {
    out[at] = '\r';
    out[at + 1] = '\n';
    return at + 2;
  }
}
