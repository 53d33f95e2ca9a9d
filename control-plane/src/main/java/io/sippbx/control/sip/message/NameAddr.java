package io.sippbx.control.sip.message;

import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A URI with perhaps a display name, and header parameters: From, To, Contact, Route ... Immutable.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-20.10">RFC 3261 20.10</a>
 */
public final class NameAddr {

  private final Optional<String> displayName;
  private final Uri uri;
  private final Params params;

  // Made when it is asked for first, as a dialog's are written down at each commit; a race makes it
  // twice.
  private @Nullable String text;

  /**
   * Of its parts.
   *
   * @param displayName as it is read: without quotes, escapes undone
   * @param params of the header, not of the URI
   */
  public NameAddr(Optional<String> displayName, Uri uri, Params params) {
    this.displayName = displayName;
    this.uri = uri;
    this.params = params;
  }

  /** As it is read: without quotes, escapes undone. */
  public Optional<String> displayName() {
    return displayName;
  }

  /** The URI. */
  public Uri uri() {
    return uri;
  }

  /** Those of the header, not of the URI. */
  public Params params() {
    return params;
  }

  /** Without a display name and parameters. */
  public static NameAddr of(Uri uri) {
    return new NameAddr(Optional.empty(), uri, Params.EMPTY);
  }

  /** With a display name. */
  public static NameAddr of(String displayName, Uri uri) {
    return new NameAddr(Optional.of(displayName), uri, Params.EMPTY);
  }

  /** The one value that {@code text} is, if it is one. */
  public static Optional<NameAddr> parse(String text) {
    byte[] b = Text.bytes(text);
    var spans = new Spans();
    return NameAddrSyntax.scan(b, 0, b.length, false, spans) == b.length && !Text.hasControl(text)
        ? Optional.of(NameAddrSyntax.view(b, spans))
        : Optional.empty();
  }

  /** The tag parameter. */
  public Optional<Tag> tag() {
    return params.raw("tag").filter(value -> Chars.all(value, Chars.VALUE)).map(Tag::new);
  }

  /** With the tag parameter set. */
  public NameAddr withTag(Tag tag) {
    return withParams(params.with("tag", tag.value()));
  }

  /** Without a tag. */
  public NameAddr withoutTag() {
    return withParams(params.without("tag"));
  }

  /** With other parameters. */
  public NameAddr withParams(Params newParams) {
    return new NameAddr(displayName, uri, newParams);
  }

  /** With another URI. */
  public NameAddr withUri(Uri newUri) {
    return new NameAddr(displayName, newUri, params);
  }

  /** The q parameter in thousandths; 1000 when there is none or it is not sound. */
  public int qThousandths() {
    return params.raw("q").map(NameAddr::thousandths).orElse(1000);
  }

  /** The q parameter; 1.0 when there is none or it is not sound. */
  public double q() {
    return qThousandths() / 1000.0;
  }

  /**
   * The expires parameter in seconds, if it is there. What is no number counts as 3600 (RFC 3261
   * 10.2.1.1 and 20.10), what is too great as the greatest.
   */
  public OptionalLong expires() {
    Optional<String> raw = params.get("expires");
    if (raw.isEmpty()) {
      return OptionalLong.empty();
    }
    byte[] b = Text.bytes(raw.get());
    long seconds = Chars.seconds(b, 0, b.length);
    return OptionalLong.of(seconds < 0 ? 3600 : seconds);
  }

  private static int thousandths(String q) {
    if (q.isEmpty() || q.length() > 5 || q.charAt(0) != '0' && q.charAt(0) != '1') {
      return 1000;
    }
    int value = (q.charAt(0) - '0') * 1000;
    int weight = 100;
    for (int i = 1; i < q.length(); i++) {
      char c = q.charAt(i);
      if (i == 1 ? c != '.' : c < '0' || c > '9') {
        return 1000;
      }
      if (i > 1) {
        value += (c - '0') * weight;
        weight /= 10;
      }
    }
    return Math.min(value, 1000);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof NameAddr that
        && displayName.equals(that.displayName)
        && uri.equals(that.uri)
        && params.equals(that.params);
  }

  @Override
  public int hashCode() {
    return Objects.hash(displayName, uri, params);
  }

  /** As on the wire, always with angle brackets. */
  @Override
  public String toString() {
    String known = text;
    if (known == null) {
      known = written();
      text = known;
    }
    return known;
  }

  private String written() {
    var out = new StringBuilder(96);
    if (displayName.isPresent()) {
      Text.appendQuoted(out, displayName.get());
      out.append(' ');
    }
    out.append('<').append(uri).append('>');
    params.append(out, ';', ';');
    return out.toString();
  }
}
