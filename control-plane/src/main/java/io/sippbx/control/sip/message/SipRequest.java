package io.sippbx.control.sip.message;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A request.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-7.1">RFC 3261 7.1</a>
 */
public final class SipRequest extends SipMessage {

  private final Method method;
  private final int uriStart;
  private final int uriEnd;
  private @Nullable Uri uri;

  SipRequest(byte[] bytes, Fields fields, int bodyStart, Method method, int uriStart, int uriEnd) {
    super(bytes, fields, bodyStart);
    this.method = method;
    this.uriStart = uriStart;
    this.uriEnd = uriEnd;
  }

  /** With a Request-URI given beside the octets: their own is no URI, or the value is at hand. */
  SipRequest(
      byte[] bytes,
      Fields fields,
      int bodyStart,
      Method method,
      int uriStart,
      int uriEnd,
      Uri uri) {
    this(bytes, fields, bodyStart, method, uriStart, uriEnd);
    this.uri = uri;
  }

  /** A request to be built. Max-Forwards is 70 and the body is empty unless said otherwise. */
  public static Builder builder(Method method, Uri uri) {
    return new Builder(method, uri);
  }

  /** The method. */
  public Method method() {
    return method;
  }

  /** The Request-URI. */
  public Uri uri() {
    Uri value = uri;
    if (value == null) {
      value = UriSyntax.view(bytes, uriStart, uriEnd);
      uri = value;
    }
    return value;
  }

  /** The octets of the Request-URI as they came; a copy. */
  public byte[] uriBytes() {
    return Arrays.copyOfRange(bytes, uriStart, uriEnd);
  }

  /** A builder that starts with all of this request; nothing is parsed or copied yet. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /** Builds requests. Not for several threads. */
  public static final class Builder extends SipMessageBuilder<Builder> {

    private Method method;
    private Uri uri;

    /** The CSeq of the source where it names another method, as one that is refused may. */
    private final @Nullable CSeq mismatch;

    private Builder(Method method, Uri uri) {
      this.method = method;
      this.uri = uri;
      this.mismatch = null;
    }

    private Builder(SipRequest source) {
      super(source);
      this.method = source.method();
      this.uri = source.uri();
      CSeq cSeq = source.cSeq();
      this.mismatch = cSeq.method().equals(source.method()) ? null : cSeq;
    }

    @Override
    Builder self() {
      return this;
    }

    /** Sets the method; CSeq must be set to match. */
    public Builder method(Method newMethod) {
      method = newMethod;
      return this;
    }

    /** Sets the Request-URI. */
    public Builder uri(Uri newUri) {
      uri = newUri;
      return this;
    }

    /** Sets CSeq with this request's method. */
    public Builder cSeq(long number) {
      return cSeq(new CSeq(number, method));
    }

    /**
     * The request, with Content-Length set, and Max-Forwards 70 if it had none.
     *
     * @throws IllegalStateException without Via, From, To, Call-ID or CSeq, or with the CSeq of
     *     another method that {@link ParseResult.Malformed#answerable} did not come with
     */
    public SipRequest build() {
      if (!has(HeaderName.MAX_FORWARDS)) {
        maxForwards(70);
      }
      byte[] name = Text.bytes(method.name());
      byte[] target = Text.bytes(uri.toString());
      int uriStart = name.length + 1;
      SipRequest request =
          assemble(
              name,
              target,
              SIP_VERSION,
              (bytes, fields, bodyStart) ->
                  new SipRequest(
                      bytes, fields, bodyStart, method, uriStart, uriStart + target.length, uri));
      if (!request.cSeq().method().equals(method) && !request.cSeq().equals(mismatch)) {
        throw new IllegalStateException(
            "Expected a CSeq with method " + method + ", but got " + request.cSeq());
      }
      return request;
    }
  }
}
