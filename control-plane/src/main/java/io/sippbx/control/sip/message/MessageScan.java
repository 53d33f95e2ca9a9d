package io.sippbx.control.sip.message;

import io.sippbx.control.sip.message.ParseResult.Malformed;
import io.sippbx.control.sip.message.ParseResult.NeedMoreBytes;
import io.sippbx.control.sip.message.ParseResult.Parsed;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One pass over the octets of one message: start-line, index of the header fields, and the check of
 * each value that has a view. The first fault counts; the pass goes on after it, so that a request
 * that is refused can still be answered.
 */
final class MessageScan {

  private static final int MAX_DIGITS = 3;
  private static final SipUri NO_URI = SipUri.of("invalid.invalid");

  private final byte[] b;
  private final int start;
  private final int end;
  private final int origin;
  private final SipLimits limits;
  private final Fields fields = new Fields();
  private final Spans spans = new Spans();

  private boolean owned;
  private @Nullable Fault fault;
  private int faultAt;

  /** Which known names have come, by id. */
  private long seenLow;

  private long seenHigh;
  private int vias;
  private int values;
  private boolean badVia;
  private boolean lineIsSound;
  private int contentLength = -1;

  private @Nullable Method method;
  private boolean uriIsGood;
  private int uriStart;
  private int uriEnd;
  private int status;
  private int reasonStart;
  private int reasonEnd;
  private int bodyStart;

  MessageScan(byte[] b, int start, int end, int origin, SipLimits limits) {
    this.b = b;
    this.start = start;
    this.end = end;
    this.origin = origin;
    this.limits = limits;
  }

  /** The array is the message's from now on, if it is filled by it. */
  MessageScan owning() {
    owned = true;
    return this;
  }

  ParseResult datagram() {
    scanHead();
    int rest = end - bodyStart;
    int bodyLength = contentLength < 0 ? rest : contentLength;
    if (bodyLength > rest) {
      fail(Fault.BODY_CUT_SHORT, end);
      bodyLength = rest;
    }
    if (bodyLength > limits.bodyBytes()) {
      fail(Fault.BODY_TOO_LARGE, bodyStart);
    }
    return result(bodyStart + bodyLength, end - origin);
  }

  ParseResult stream() {
    scanHead();
    if (contentLength < 0) {
      fail(Fault.NO_CONTENT_LENGTH, bodyStart);
      return result(bodyStart, 0);
    }
    if (contentLength > limits.bodyBytes()) {
      fail(Fault.BODY_TOO_LARGE, bodyStart);
      return result(bodyStart, 0);
    }
    if ((long) bodyStart - start + contentLength > limits.messageBytes()) {
      fail(Fault.MESSAGE_TOO_LARGE, bodyStart);
      return result(bodyStart, 0);
    }
    int messageEnd = bodyStart + contentLength;
    if (messageEnd > end) {
      return new NeedMoreBytes(messageEnd - origin, bodyStart - origin - 1);
    }
    return result(messageEnd, messageEnd - origin);
  }

  private void fail(Fault what, int at) {
    if (fault == null) {
      fault = what;
      faultAt = at;
    }
  }

  private void scanHead() {
    int i = startLine();
    while (true) {
      if (i < 0 || i + 2 - start > limits.headerBytes()) {
        fail(i < 0 ? Fault.NO_END_OF_HEADERS : Fault.HEADERS_TOO_LARGE, i < 0 ? end : i);
        bodyStart = i < 0 ? end : i;
        break;
      }
      if (i + 1 < end && b[i] == '\r' && b[i + 1] == '\n') {
        bodyStart = i + 2;
        break;
      }
      if (fields.count() >= limits.headerCount()) {
        fail(Fault.TOO_MANY_HEADERS, i);
        bodyStart = i;
        contentLength = -1;
        break;
      }
      i = field(i);
    }
    checkWhole();
  }

  /** The index of the CR that ends a line and is not a fold; -1 when there is none. */
  private int lineEnd(int from) {
    int i = from;
    while (true) {
      while (i < end && !Chars.is(b[i], Chars.CONTROL)) {
        i++;
      }
      if (i >= end) {
        return -1;
      }
      if (b[i] == '\r' && i + 1 < end && b[i + 1] == '\n') {
        if (i + 2 >= end || b[i + 2] != ' ' && b[i + 2] != '\t') {
          return i;
        }
        i += 2;
      } else {
        // A control character is allowed as the second of a quoted-pair only, CR and LF never.
        if (b[i] == '\r' || b[i] == '\n' || b[i - 1] != '\\') {
          fail(Fault.HEADER_LINE, i);
          lineIsSound = false;
        }
        i++;
      }
    }
  }

  /** Reads one field; the index of the next line, or -1. */
  private int field(int nameStart) {
    int nameEnd = Chars.skip(b, nameStart, end, Chars.TOKEN);
    int colon = nameEnd;
    while (colon < end && (b[colon] == ' ' || b[colon] == '\t')) {
      colon++;
    }
    boolean named = nameEnd > nameStart && colon < end && b[colon] == ':';
    lineIsSound = true;
    int lineEnd = lineEnd(named ? colon + 1 : nameStart);
    if (lineEnd < 0) {
      return -1;
    }
    if (!named) {
      fail(Fault.HEADER_LINE, nameStart);
      return lineEnd + 2;
    }
    int valueStart = Chars.skipWs(b, colon + 1, lineEnd);
    int valueEnd = lineEnd;
    while (valueEnd > valueStart && Chars.is(b[valueEnd - 1], Chars.WS)) {
      valueEnd--;
    }
    HeaderName name = HeaderName.find(b, nameStart, nameEnd);
    if (!lineIsSound) {
      badVia |= name != null && name.equals(HeaderName.VIA);
    } else if (name == null) {
      fields.add(HeaderName.UNKNOWN_ID, nameStart, valueStart, valueEnd);
    } else {
      known(name, nameStart, valueStart, valueEnd);
    }
    return lineEnd + 2;
  }

  private void known(HeaderName name, int nameStart, int valueStart, int valueEnd) {
    int id = name.id();
    boolean repeated = seen(id);
    if (repeated && name.form() == HeaderName.Form.SINGLE) {
      fail(Fault.REPEATED_HEADER, nameStart);
      if (name.equals(HeaderName.CONTENT_LENGTH)) {
        contentLength = -1;
      }
      return;
    }
    int count = HeaderSyntax.check(id, b, valueStart, valueEnd, spans);
    if (count < 0) {
      fail(HeaderSyntax.faultOf(id), ~count);
      badVia |= name.equals(HeaderName.VIA);
      return;
    }
    if (name.equals(HeaderName.VIA)) {
      vias += count;
      if (vias > limits.viaDepth()) {
        fail(Fault.TOO_MANY_VIAS, nameStart);
      }
    } else if (name.equals(HeaderName.CONTENT_LENGTH)) {
      contentLength = (int) Chars.number(b, valueStart, valueEnd, Integer.MAX_VALUE);
    } else if (id < HeaderSyntax.TYPED && name.form() == HeaderName.Form.LIST) {
      values += count;
      if (values > limits.listValues()) {
        fail(Fault.TOO_MANY_VALUES, nameStart);
      }
    }
    fields.add(id, nameStart, valueStart, valueEnd);
  }

  private boolean seen(int id) {
    long bit = 1L << id;
    long old = id < Long.SIZE ? seenLow : seenHigh;
    if (id < Long.SIZE) {
      seenLow |= bit;
    } else {
      seenHigh |= bit;
    }
    return (old & bit) != 0;
  }

  /** Reads the start-line; the index of the next line, or -1. */
  private int startLine() {
    int lineEnd = start;
    while (lineEnd < end && !Chars.is(b[lineEnd], Chars.CONTROL)) {
      lineEnd++;
    }
    if (lineEnd + 1 >= end || b[lineEnd] != '\r' || b[lineEnd + 1] != '\n') {
      fail(Fault.START_LINE, lineEnd);
      return -1;
    }
    if (lineEnd - start > 4 && Chars.equalsIgnoreCase(b, start, start + 4, "sip/")) {
      statusLine(lineEnd);
    } else {
      requestLine(lineEnd);
    }
    return lineEnd + 2;
  }

  private void statusLine(int lineEnd) {
    int space = start;
    while (space < lineEnd && b[space] != ' ') {
      space++;
    }
    version(start, space);
    int digits = Math.min(space + 1, lineEnd);
    int i = digits;
    while (i < lineEnd && i - digits <= MAX_DIGITS && Chars.isDigit(b[i])) {
      i++;
    }
    status = i - digits == MAX_DIGITS ? (int) Chars.number(b, digits, i, 699) : -1;
    if (status < 100 || i < lineEnd && b[i] != ' ') {
      fail(Fault.START_LINE, digits);
    }
    reasonStart = Math.min(i + 1, lineEnd);
    reasonEnd = lineEnd;
  }

  private void requestLine(int lineEnd) {
    int methodEnd = Chars.skip(b, start, lineEnd, Chars.TOKEN);
    int lastSpace = lineEnd - 1;
    while (lastSpace > methodEnd && b[lastSpace] != ' ') {
      lastSpace--;
    }
    if (methodEnd == start || b[methodEnd] != ' ' || lastSpace <= methodEnd) {
      fail(Fault.START_LINE, methodEnd);
      return;
    }
    method = Method.of(b, start, methodEnd);
    uriStart = methodEnd + 1;
    uriEnd = lastSpace;
    version(lastSpace + 1, lineEnd);
    if (uriEnd - uriStart > limits.uriBytes()) {
      fail(Fault.URI_TOO_LONG, uriStart);
      return;
    }
    int scanned = UriSyntax.scan(b, uriStart, uriEnd, spans);
    // Headers have no place in a Request-URI (RFC 3261 19.1.1, Table 1; RFC 4475 3.1.2.11).
    if (scanned >= 0 && spans.headersEnd > spans.uriParamsEnd) {
      scanned = ~spans.uriParamsEnd;
    }
    uriIsGood = scanned >= 0;
    if (!uriIsGood) {
      fail(Fault.REQUEST_URI, ~scanned);
    }
  }

  private void version(int from, int to) {
    if (Chars.equalsIgnoreCase(b, from, to, "sip/2.0")) {
      return;
    }
    int i = from + 4;
    boolean named = i < to && Chars.equalsIgnoreCase(b, from, i, "sip/");
    int dot = named ? Chars.skipDigits(b, i, to) : from;
    boolean version =
        named && dot > i && dot + 1 < to && b[dot] == '.' && Chars.skipDigits(b, dot + 1, to) == to;
    fail(version ? Fault.VERSION : Fault.START_LINE, from);
  }

  private void checkWhole() {
    need(HeaderName.VIA, Fault.NO_VIA);
    need(HeaderName.FROM, Fault.NO_FROM);
    need(HeaderName.TO, Fault.NO_TO);
    need(HeaderName.CALL_ID, Fault.NO_CALL_ID);
    need(HeaderName.CSEQ, Fault.NO_CSEQ);
    int cSeq = fields.next(HeaderName.CSEQ.id(), 0);
    if (method != null && cSeq >= 0) {
      HeaderSyntax.cSeq(b, fields.valueStart(cSeq), fields.valueEnd(cSeq), spans);
      if (!method.equals(Method.of(b, spans.nameStart, spans.nameEnd))) {
        fail(Fault.CSEQ_METHOD, fields.valueStart(cSeq));
      }
    }
  }

  private void need(HeaderName name, Fault missing) {
    if (fields.next(name.id(), 0) < 0) {
      fail(missing, bodyStart);
    }
  }

  private ParseResult result(int messageEnd, int consumed) {
    Fault what = fault;
    if (what != null) {
      return new Malformed(what.status, what.reason, faultAt - origin, consumed, answerable());
    }
    boolean filled = owned && start == 0 && messageEnd == b.length;
    byte[] bytes = filled ? b : Arrays.copyOfRange(b, start, messageEnd);
    fields.rebase(start);
    SipMessage message = message(bytes);
    return new Parsed(message, consumed);
  }

  private SipMessage message(byte[] bytes) {
    Method ofRequest = method;
    return ofRequest == null
        ? new SipResponse(
            bytes, fields, bodyStart - start, status, reasonStart - start, reasonEnd - start)
        : new SipRequest(
            bytes, fields, bodyStart - start, ofRequest, uriStart - start, uriEnd - start);
  }

  /** The head of the request, with the fields that are sound; never for an ACK (RFC 3261 17). */
  private Optional<SipRequest> answerable() {
    Method ofRequest = method;
    if (ofRequest == null
        || ofRequest.equals(Method.ACK)
        || badVia
        || !has(HeaderName.VIA)
        || !has(HeaderName.FROM)
        || !has(HeaderName.TO)
        || !has(HeaderName.CALL_ID)
        || !has(HeaderName.CSEQ)) {
      return Optional.empty();
    }
    byte[] bytes = Arrays.copyOfRange(b, start, bodyStart);
    fields.rebase(start);
    int from = uriStart - start;
    int to = uriEnd - start;
    int head = bodyStart - start;
    return Optional.of(
        uriIsGood
            ? new SipRequest(bytes, fields, head, ofRequest, from, to)
            : new SipRequest(bytes, fields, head, ofRequest, from, to, NO_URI));
  }

  private boolean has(HeaderName name) {
    return fields.next(name.id(), 0) >= 0;
  }
}
