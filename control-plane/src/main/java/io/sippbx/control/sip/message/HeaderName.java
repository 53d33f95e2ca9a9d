package io.sippbx.control.sip.message;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The name of a header field; equal in any case and in its compact form. The known ones exist once.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-7.3.1">RFC 3261 7.3.1, 7.3.3</a>
 */
public final class HeaderName {

  /** How often a field may come, and whether one field may hold several values. */
  enum Form {
    /** One field at most; a second is an error, since it is not known which is meant. */
    SINGLE,
    /** Values parted by commas, in one field or several. */
    LIST,
    /** Fields that say all of their value themselves, commas included. */
    LINES
  }

  private static final int KNOWN_MAX = 96;
  private static final int TABLE_SIZE = 512;
  private static final @Nullable HeaderName[] KNOWN = new HeaderName[KNOWN_MAX];
  private static final @Nullable HeaderName[] TABLE = new HeaderName[TABLE_SIZE];
  private static final @Nullable HeaderName[] COMPACT = new HeaderName[26];
  private static int knownCount;

  // Those with typed views come first: their ids are below 64.
  public static final HeaderName VIA = known("Via", 'v', Form.LIST);
  public static final HeaderName FROM = known("From", 'f', Form.SINGLE);
  public static final HeaderName TO = known("To", 't', Form.SINGLE);
  public static final HeaderName CALL_ID = known("Call-ID", 'i', Form.SINGLE);
  public static final HeaderName CSEQ = known("CSeq", Form.SINGLE);
  public static final HeaderName CONTACT = known("Contact", 'm', Form.LIST);
  public static final HeaderName ROUTE = known("Route", Form.LIST);
  public static final HeaderName RECORD_ROUTE = known("Record-Route", Form.LIST);
  public static final HeaderName PATH = known("Path", Form.LIST);
  public static final HeaderName SERVICE_ROUTE = known("Service-Route", Form.LIST);
  public static final HeaderName MAX_FORWARDS = known("Max-Forwards", Form.SINGLE);
  public static final HeaderName EXPIRES = known("Expires", Form.SINGLE);
  public static final HeaderName MIN_EXPIRES = known("Min-Expires", Form.SINGLE);
  public static final HeaderName CONTENT_LENGTH = known("Content-Length", 'l', Form.SINGLE);
  public static final HeaderName CONTENT_TYPE = known("Content-Type", 'c', Form.SINGLE);
  public static final HeaderName REQUIRE = known("Require", Form.LIST);
  public static final HeaderName PROXY_REQUIRE = known("Proxy-Require", Form.LIST);
  public static final HeaderName SUPPORTED = known("Supported", 'k', Form.LIST);
  public static final HeaderName UNSUPPORTED = known("Unsupported", Form.LIST);
  public static final HeaderName ALLOW = known("Allow", Form.LIST);

  public static final HeaderName ACCEPT = known("Accept", Form.LIST);
  public static final HeaderName ACCEPT_CONTACT = known("Accept-Contact", 'a', Form.LIST);
  public static final HeaderName ACCEPT_ENCODING = known("Accept-Encoding", Form.LIST);
  public static final HeaderName ACCEPT_LANGUAGE = known("Accept-Language", Form.LIST);
  public static final HeaderName ALERT_INFO = known("Alert-Info", Form.LIST);
  public static final HeaderName ALLOW_EVENTS = known("Allow-Events", 'u', Form.LIST);
  public static final HeaderName AUTHENTICATION_INFO = known("Authentication-Info", Form.LINES);
  public static final HeaderName AUTHORIZATION = known("Authorization", Form.LINES);
  public static final HeaderName CALL_INFO = known("Call-Info", Form.LIST);
  public static final HeaderName CONTENT_DISPOSITION = known("Content-Disposition", Form.SINGLE);
  public static final HeaderName CONTENT_ENCODING = known("Content-Encoding", 'e', Form.LIST);
  public static final HeaderName CONTENT_LANGUAGE = known("Content-Language", Form.LIST);
  public static final HeaderName DATE = known("Date", Form.SINGLE);
  public static final HeaderName DIVERSION = known("Diversion", Form.LIST);
  public static final HeaderName ERROR_INFO = known("Error-Info", Form.LIST);
  public static final HeaderName EVENT = known("Event", 'o', Form.SINGLE);
  public static final HeaderName HISTORY_INFO = known("History-Info", Form.LIST);
  public static final HeaderName IDENTITY = known("Identity", 'y', Form.LINES);
  public static final HeaderName IN_REPLY_TO = known("In-Reply-To", Form.LIST);
  public static final HeaderName JOIN = known("Join", Form.SINGLE);
  public static final HeaderName MAX_BREADTH = known("Max-Breadth", Form.SINGLE);
  public static final HeaderName MIME_VERSION = known("MIME-Version", Form.SINGLE);
  public static final HeaderName MIN_SE = known("Min-SE", Form.SINGLE);
  public static final HeaderName ORGANIZATION = known("Organization", Form.LINES);
  public static final HeaderName P_ASSERTED_IDENTITY = known("P-Asserted-Identity", Form.LIST);
  public static final HeaderName P_PREFERRED_IDENTITY = known("P-Preferred-Identity", Form.LIST);
  public static final HeaderName PRIORITY = known("Priority", Form.LINES);
  public static final HeaderName PRIVACY = known("Privacy", Form.LINES);
  public static final HeaderName PROXY_AUTHENTICATE = known("Proxy-Authenticate", Form.LINES);
  public static final HeaderName PROXY_AUTHORIZATION = known("Proxy-Authorization", Form.LINES);
  public static final HeaderName RACK = known("RAck", Form.SINGLE);
  public static final HeaderName REASON = known("Reason", Form.LIST);
  public static final HeaderName REFER_SUB = known("Refer-Sub", Form.SINGLE);
  public static final HeaderName REFER_TO = known("Refer-To", 'r', Form.SINGLE);
  public static final HeaderName REFERRED_BY = known("Referred-By", 'b', Form.SINGLE);
  public static final HeaderName REJECT_CONTACT = known("Reject-Contact", 'j', Form.LIST);
  public static final HeaderName REPLACES = known("Replaces", Form.SINGLE);
  public static final HeaderName REPLY_TO = known("Reply-To", Form.SINGLE);
  public static final HeaderName REQUEST_DISPOSITION = known("Request-Disposition", 'd', Form.LIST);
  public static final HeaderName RETRY_AFTER = known("Retry-After", Form.SINGLE);
  public static final HeaderName RSEQ = known("RSeq", Form.SINGLE);
  public static final HeaderName SERVER = known("Server", Form.LINES);
  public static final HeaderName SESSION_EXPIRES = known("Session-Expires", 'x', Form.SINGLE);
  public static final HeaderName SIP_ETAG = known("SIP-ETag", Form.SINGLE);
  public static final HeaderName SIP_IF_MATCH = known("SIP-If-Match", Form.SINGLE);
  public static final HeaderName SUBJECT = known("Subject", 's', Form.LINES);
  public static final HeaderName SUBSCRIPTION_STATE = known("Subscription-State", Form.SINGLE);
  public static final HeaderName TIMESTAMP = known("Timestamp", Form.SINGLE);
  public static final HeaderName USER_AGENT = known("User-Agent", Form.LINES);
  public static final HeaderName WARNING = known("Warning", Form.LIST);
  public static final HeaderName WWW_AUTHENTICATE = known("WWW-Authenticate", Form.LINES);

  /** The id of every name that is not known. */
  static final int UNKNOWN_ID = KNOWN_MAX;

  private final String text;
  private final int id;
  private final char compact;
  private final Form form;
  private final byte[] octets;

  private HeaderName(String text, int id, char compact, Form form) {
    this.text = text;
    this.id = id;
    this.compact = compact;
    this.form = form;
    this.octets = Text.bytes(text);
  }

  private static HeaderName known(String text, Form form) {
    return known(text, '\0', form);
  }

  private static HeaderName known(String text, char compact, Form form) {
    var name = new HeaderName(text, knownCount, compact, form);
    KNOWN[knownCount++] = name;
    int slot = hash(name.octets, 0, name.octets.length);
    while (TABLE[slot] != null) {
      slot = slot + 1 & TABLE_SIZE - 1;
    }
    TABLE[slot] = name;
    if (compact != '\0') {
      COMPACT[compact - 'a'] = name;
    }
    return name;
  }

  /**
   * The name that {@code text} is, in any case or its compact form.
   *
   * @throws IllegalArgumentException for what is no token
   */
  public static HeaderName of(String text) {
    if (!Chars.all(text, Chars.TOKEN)) {
      throw new IllegalArgumentException("Expected a token as header name, but got " + text);
    }
    byte[] octets = Text.bytes(text);
    return of(octets, 0, octets.length);
  }

  static HeaderName of(byte[] b, int start, int end) {
    HeaderName known = find(b, start, end);
    return known != null
        ? known
        : new HeaderName(Text.ascii(b, start, end), UNKNOWN_ID, '\0', Form.LINES);
  }

  /** The known name of a span, in any case or compact form; null for one that is not known. */
  static @Nullable HeaderName find(byte[] b, int start, int end) {
    if (end - start == 1) {
      int letter = Chars.lower(b[start]) - 'a';
      return letter >= 0 && letter < COMPACT.length ? COMPACT[letter] : null;
    }
    int slot = hash(b, start, end);
    HeaderName name = TABLE[slot];
    while (name != null) {
      if (name.matches(b, start, end)) {
        return name;
      }
      slot = slot + 1 & TABLE_SIZE - 1;
      name = TABLE[slot];
    }
    return null;
  }

  /** The known name of an id below {@link #UNKNOWN_ID}. */
  static HeaderName ofId(int id) {
    HeaderName name = id < KNOWN.length ? KNOWN[id] : null;
    if (name == null) {
      throw new IllegalArgumentException("Expected the id of a known header, but got " + id);
    }
    return name;
  }

  /** Length, first, middle and last letter part the known names well. */
  private static int hash(byte[] b, int start, int end) {
    int length = end - start;
    int first = b[start] | 0x20;
    int middle = b[start + (length >> 1)] | 0x20;
    int last = b[end - 1] | 0x20;
    return (length * 31 + first * 7 + middle * 61 + last * 13) & TABLE_SIZE - 1;
  }

  boolean matches(byte[] b, int start, int end) {
    if (end - start != octets.length) {
      return false;
    }
    for (int i = 0; i < octets.length; i++) {
      if (b[start + i] != octets[i] && Chars.lower(b[start + i]) != Chars.lower(octets[i])) {
        return false;
      }
    }
    return true;
  }

  int id() {
    return id;
  }

  Form form() {
    return form;
  }

  byte[] octets() {
    return octets;
  }

  /** The name as it is written: as RFCs write it when known, as it was given otherwise. */
  public String text() {
    return text;
  }

  /** The compact form, or the name itself where there is none. */
  public String compactText() {
    return compact == '\0' ? text : String.valueOf(compact);
  }

  /** Whether this is one of the constants. */
  public boolean isKnown() {
    return id != UNKNOWN_ID;
  }

  @Override
  public boolean equals(Object other) {
    return this == other
        || other instanceof HeaderName that
            && id == UNKNOWN_ID
            && that.id == UNKNOWN_ID
            && text.equalsIgnoreCase(that.text);
  }

  @Override
  public int hashCode() {
    return text.toLowerCase(Locale.ROOT).hashCode();
  }

  @Override
  public String toString() {
    return text;
  }
}
