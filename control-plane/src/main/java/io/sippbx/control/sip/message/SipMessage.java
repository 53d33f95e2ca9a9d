package io.sippbx.control.sip.message;

import io.sippbx.shared.identity.Content;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A request or a response: its octets, an index of its header fields, and typed views on demand.
 * Immutable; may be shared between threads. Equal when all octets are.
 *
 * <p>All that has a typed view was checked when the message was parsed or built: no view throws.
 * Via, From, To, Call-ID and CSeq are always there.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-7">RFC 3261 7</a>
 */
public abstract sealed class SipMessage permits SipRequest, SipResponse {

  final byte[] bytes;
  final Fields fields;
  final int bodyStart;

  // Views of use in every layer; a race makes the same value twice.
  private @Nullable CallId callId;
  private @Nullable CSeq cSeq;
  private @Nullable NameAddr from;
  private @Nullable NameAddr to;
  private @Nullable Via topVia;
  private @Nullable Content content;

  SipMessage(byte[] bytes, Fields fields, int bodyStart) {
    this.bytes = bytes;
    this.fields = fields;
    this.bodyStart = bodyStart;
  }

  /** The Call-ID. */
  public CallId callId() {
    CallId value = callId;
    if (value == null) {
      int field = fields.next(HeaderName.CALL_ID.id(), 0);
      value = new CallId(Text.ascii(bytes, fields.valueStart(field), fields.valueEnd(field)));
      callId = value;
    }
    return value;
  }

  /** The CSeq. */
  public CSeq cSeq() {
    CSeq value = cSeq;
    if (value == null) {
      int field = fields.next(HeaderName.CSEQ.id(), 0);
      value = Views.cSeq(bytes, fields.valueStart(field), fields.valueEnd(field));
      cSeq = value;
    }
    return value;
  }

  /** The From. */
  public NameAddr from() {
    NameAddr value = from;
    if (value == null) {
      value = Views.nameAddr(bytes, fields, HeaderName.FROM);
      from = value;
    }
    return value;
  }

  /** The To. */
  public NameAddr to() {
    NameAddr value = to;
    if (value == null) {
      value = Views.nameAddr(bytes, fields, HeaderName.TO);
      to = value;
    }
    return value;
  }

  /** The tag of From. */
  public Optional<Tag> fromTag() {
    return from().tag();
  }

  /** The tag of To. */
  public Optional<Tag> toTag() {
    return to().tag();
  }

  /** The first Via value. */
  public Via topVia() {
    Via value = topVia;
    if (value == null) {
      value = Views.topVia(bytes, fields);
      topVia = value;
    }
    return value;
  }

  /** All Via values, topmost first. */
  public List<Via> vias() {
    return Views.vias(bytes, fields);
  }

  /** All Contact values but {@code *}. */
  public List<NameAddr> contacts() {
    return Views.nameAddrs(bytes, fields, HeaderName.CONTACT);
  }

  /** Whether there is a Contact that is {@code *} (RFC 3261 10.2.2). */
  public boolean contactIsWildcard() {
    int id = HeaderName.CONTACT.id();
    for (int field = fields.next(id, 0); field >= 0; field = fields.next(id, field + 1)) {
      if (Views.isWildcard(bytes, fields, field)) {
        return true;
      }
    }
    return false;
  }

  /** All Route values. */
  public List<NameAddr> routes() {
    return Views.nameAddrs(bytes, fields, HeaderName.ROUTE);
  }

  /** All Record-Route values. */
  public List<NameAddr> recordRoutes() {
    return Views.nameAddrs(bytes, fields, HeaderName.RECORD_ROUTE);
  }

  /** All Path values (RFC 3327). */
  public List<NameAddr> paths() {
    return Views.nameAddrs(bytes, fields, HeaderName.PATH);
  }

  /** Max-Forwards, 0 to 255. */
  public OptionalInt maxForwards() {
    long value = number(HeaderName.MAX_FORWARDS);
    return value < 0 ? OptionalInt.empty() : OptionalInt.of((int) value);
  }

  /** Expires in seconds, 0 to 2^32 - 1. */
  public OptionalLong expires() {
    long value = seconds(HeaderName.EXPIRES);
    return value < 0 ? OptionalLong.empty() : OptionalLong.of(value);
  }

  /** Min-Expires in seconds, 0 to 2^32 - 1. */
  public OptionalLong minExpires() {
    long value = seconds(HeaderName.MIN_EXPIRES);
    return value < 0 ? OptionalLong.empty() : OptionalLong.of(value);
  }

  /** Content-Length, where it is written. */
  public OptionalInt contentLength() {
    long value = number(HeaderName.CONTENT_LENGTH);
    return value < 0 ? OptionalInt.empty() : OptionalInt.of((int) value);
  }

  /** Content-Type as written, parameters included. */
  public Optional<String> contentType() {
    return header(HeaderName.CONTENT_TYPE);
  }

  /** Whether the Content-Type is {@code type} ("application/sdp"), whatever its parameters. */
  public boolean isContentType(String type) {
    int field = fields.next(HeaderName.CONTENT_TYPE.id(), 0);
    return field >= 0 && Views.isMediaType(bytes, fields, field, type);
  }

  private long number(HeaderName name) {
    int field = fields.next(name.id(), 0);
    return field < 0
        ? -1
        : Chars.number(bytes, fields.valueStart(field), fields.valueEnd(field), Integer.MAX_VALUE);
  }

  private long seconds(HeaderName name) {
    int field = fields.next(name.id(), 0);
    return field < 0 ? -1 : Chars.seconds(bytes, fields.valueStart(field), fields.valueEnd(field));
  }

  /** Whether there is a field of that name. */
  public boolean hasHeader(HeaderName name) {
    return fields.next(name, bytes, 0) >= 0;
  }

  /** The value of the first field of that name, all of its line, folds made a space. */
  public Optional<String> header(HeaderName name) {
    int field = fields.next(name, bytes, 0);
    return field < 0
        ? Optional.empty()
        : Optional.of(Text.unfolded(bytes, fields.valueStart(field), fields.valueEnd(field)));
  }

  /** Each value of that name: lists split at their commas where the header is a list. */
  public List<String> headers(HeaderName name) {
    List<String> values = new ArrayList<>(2);
    int field = fields.next(name, bytes, 0);
    while (field >= 0) {
      int start = fields.valueStart(field);
      int end = fields.valueEnd(field);
      if (name.form() == HeaderName.Form.LIST) {
        Views.split(bytes, start, end, values);
      } else {
        values.add(Text.unfolded(bytes, start, end));
      }
      field = fields.next(name, bytes, field + 1);
    }
    return List.copyOf(values);
  }

  /** All fields, in order, as they came. */
  public List<HeaderField> headerFields() {
    List<HeaderField> list = new ArrayList<>(fields.count());
    for (int field = 0; field < fields.count(); field++) {
      list.add(
          new HeaderField(
              Text.ascii(bytes, fields.nameStart(field), fields.nameEnd(bytes, field)),
              Text.utf8(bytes, fields.valueStart(field), fields.valueEnd(field))));
    }
    return List.copyOf(list);
  }

  /** The tokens of Require, Proxy-Require, Supported, Unsupported or Allow. */
  public List<String> optionTags(HeaderName name) {
    return headers(name);
  }

  /** Whether there is a body of at least one octet. */
  public boolean hasBody() {
    return bodyStart < bytes.length;
  }

  /** The body; a copy. */
  public byte[] body() {
    return Arrays.copyOfRange(bytes, bodyStart, bytes.length);
  }

  /** The message as it came or was built; a copy. */
  public byte[] toBytes() {
    return bytes.clone();
  }

  /** The octets of the message, with a name for them. */
  public Content content() {
    Content value = content;
    if (value == null) {
      value = Content.of(bytes);
      content = value;
    }
    return value;
  }

  /**
   * Tells how the octets of the message are called, which else would be digested for it.
   *
   * @param known of the octets that the message was read from
   */
  public void content(Content known) {
    if (known.size() == bytes.length) {
      content = known;
    }
  }

  /** Copies the message to {@code target}, which has room for {@link #size} octets. */
  public void writeTo(byte[] target, int offset) {
    System.arraycopy(bytes, 0, target, offset, bytes.length);
  }

  /** Octets of the message. */
  public int size() {
    return bytes.length;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SipMessage that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /** The message as text; of use in tests and traces. */
  @Override
  public String toString() {
    return Text.utf8(bytes, 0, bytes.length);
  }
}
