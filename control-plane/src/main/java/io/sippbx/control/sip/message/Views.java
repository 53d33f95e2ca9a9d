package io.sippbx.control.sip.message;

import java.util.ArrayList;
import java.util.List;

/** Makes typed values of header values that have passed {@link HeaderSyntax}. */
final class Views {

  private Views() {}

  static CSeq cSeq(byte[] b, int start, int end) {
    var s = new Spans();
    HeaderSyntax.cSeq(b, start, end, s);
    return new CSeq(
        Chars.number(b, s.uriStart, s.uriEnd, CSeq.MAX_NUMBER),
        Method.of(b, s.nameStart, s.nameEnd));
  }

  static NameAddr nameAddr(byte[] b, Fields fields, HeaderName name) {
    int field = fields.next(name.id(), 0);
    var s = new Spans();
    NameAddrSyntax.scan(b, fields.valueStart(field), fields.valueEnd(field), false, s);
    return NameAddrSyntax.view(b, s);
  }

  static List<NameAddr> nameAddrs(byte[] b, Fields fields, HeaderName name) {
    int field = fields.next(name.id(), 0);
    if (field < 0) {
      return List.of();
    }
    List<NameAddr> values = new ArrayList<>(2);
    var s = new Spans();
    while (field >= 0) {
      int end = fields.valueEnd(field);
      int i = isWildcard(b, fields, field) ? end : fields.valueStart(field);
      while (i < end) {
        i = NameAddrSyntax.scan(b, i, end, false, s) + 1;
        values.add(NameAddrSyntax.view(b, s));
      }
      field = fields.next(name.id(), field + 1);
    }
    return List.copyOf(values);
  }

  static boolean isWildcard(byte[] b, Fields fields, int field) {
    int start = fields.valueStart(field);
    return fields.valueEnd(field) - start == 1 && b[start] == '*';
  }

  static Via topVia(byte[] b, Fields fields) {
    int field = fields.next(HeaderName.VIA.id(), 0);
    var s = new Spans();
    NameAddrSyntax.scanVia(b, fields.valueStart(field), fields.valueEnd(field), s);
    return NameAddrSyntax.viewVia(b, s);
  }

  static List<Via> vias(byte[] b, Fields fields) {
    List<Via> values = new ArrayList<>(2);
    var s = new Spans();
    int id = HeaderName.VIA.id();
    for (int field = fields.next(id, 0); field >= 0; field = fields.next(id, field + 1)) {
      int i = fields.valueStart(field);
      int end = fields.valueEnd(field);
      while (i < end) {
        i = NameAddrSyntax.scanVia(b, i, end, s) + 1;
        values.add(NameAddrSyntax.viewVia(b, s));
      }
    }
    return List.copyOf(values);
  }

  static boolean isMediaType(byte[] b, Fields fields, int field, String type) {
    int slash = type.indexOf('/');
    int start = fields.valueStart(field);
    int end = fields.valueEnd(field);
    int i = Chars.skip(b, start, end, Chars.TOKEN);
    if (slash < 0 || !Text.ascii(b, start, i).equalsIgnoreCase(type.substring(0, slash))) {
      return false;
    }
    int subtype = Chars.skipWs(b, Chars.skipWs(b, i, end) + 1, end);
    i = Chars.skip(b, subtype, end, Chars.TOKEN);
    return Text.ascii(b, subtype, i).equalsIgnoreCase(type.substring(slash + 1));
  }

  /** Splits at commas outside quotes and angle brackets; empty values are left out. */
  static void split(byte[] b, int start, int end, List<String> values) {
    boolean quoted = false;
    boolean bracketed = false;
    int from = start;
    for (int i = start; i <= end; i++) {
      byte c = i < end ? b[i] : (byte) ',';
      if (i == end || c == ',' && !quoted && !bracketed) {
        add(b, from, i, values);
        from = i + 1;
      } else if (c == '"' && !bracketed) {
        quoted = !quoted;
      } else if (c == '\\' && quoted && i + 1 < end) {
        i++;
      } else if (c == '<' && !quoted) {
        bracketed = true;
      } else if (c == '>' && !quoted) {
        bracketed = false;
      }
    }
  }

  private static void add(byte[] b, int start, int end, List<String> values) {
    int from = Chars.skipWs(b, start, end);
    int to = end;
    while (to > from && Chars.is(b[to - 1], Chars.WS)) {
      to--;
    }
    if (to > from) {
      values.add(Text.unfolded(b, from, to));
    }
  }
}
