package io.sippbx.control.sip.message;

/**
 * A response.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-7.2">RFC 3261 7.2</a>
 */
public final class SipResponse extends SipMessage {

  private final int status;
  private final int reasonStart;
  private final int reasonEnd;

  SipResponse(
      byte[] bytes, Fields fields, int bodyStart, int status, int reasonStart, int reasonEnd) {
    super(bytes, fields, bodyStart);
    this.status = status;
    this.reasonStart = reasonStart;
    this.reasonEnd = reasonEnd;
  }

  /** A response to be built, with the usual reason phrase. */
  public static Builder builder(int status) {
    return new Builder(status);
  }

  /**
   * A response to {@code request}: with its Vias, From, To, Call-ID and CSeq as they came, and its
   * Timestamp in a 100 (RFC 3261 8.2.6). The tag of To is up to the caller: {@link Builder#toTag}.
   */
  public static Builder to(SipRequest request, int status) {
    Builder builder =
        new Builder(status)
            .copy(request, HeaderName.VIA)
            .copy(request, HeaderName.FROM)
            .copy(request, HeaderName.TO)
            .copy(request, HeaderName.CALL_ID)
            .copy(request, HeaderName.CSEQ);
    return status == 100 ? builder.copy(request, HeaderName.TIMESTAMP) : builder;
  }

  /** 100 to 699. */
  public int status() {
    return status;
  }

  /** Whether this is 100 to 199. */
  public boolean isProvisional() {
    return status < 200;
  }

  /** Whether this is 200 to 299. */
  public boolean isSuccess() {
    return status >= 200 && status < 300;
  }

  /** Whether this is 200 to 699. */
  public boolean isFinal() {
    return status >= 200;
  }

  /** The reason phrase; may be empty. */
  public String reason() {
    return Text.utf8(bytes, reasonStart, reasonEnd);
  }

  /** A builder that starts with all of this response; nothing is parsed or copied yet. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /** Builds responses. Not for several threads. */
  public static final class Builder extends SipMessageBuilder<Builder> {

    private int status;
    private String reason;

    private Builder(int status) {
      this.status = checked(status);
      this.reason = ReasonPhrases.of(status);
    }

    private Builder(SipResponse source) {
      super(source);
      this.status = source.status();
      this.reason = source.reason();
    }

    @Override
    Builder self() {
      return this;
    }

    private static int checked(int status) {
      if (status < 100 || status > 699) {
        throw new IllegalArgumentException("Expected a status of 100 to 699, but got " + status);
      }
      return status;
    }

    /** Sets the status and its usual reason phrase. */
    public Builder status(int newStatus) {
      status = checked(newStatus);
      reason = ReasonPhrases.of(newStatus);
      return this;
    }

    /** Sets the reason phrase. */
    public Builder reason(String newReason) {
      if (Text.hasControl(newReason)) {
        throw new IllegalArgumentException("Expected a phrase without control characters");
      }
      reason = newReason;
      return this;
    }

    /** Gives To a tag if it has none. To must have been set. */
    @Override
    public Builder toTag(Tag tag) {
      return super.toTag(tag);
    }

    /**
     * The response, with Content-Length set.
     *
     * @throws IllegalStateException without Via, From, To, Call-ID or CSeq
     */
    public SipResponse build() {
      byte[] code = Text.bytes(Integer.toString(status));
      byte[] phrase = Text.bytes(reason);
      int reasonStart = SIP_VERSION.length + 1 + code.length + 1;
      return assemble(
          SIP_VERSION,
          code,
          phrase,
          (bytes, fields, bodyStart) ->
              new SipResponse(
                  bytes, fields, bodyStart, status, reasonStart, reasonStart + phrase.length));
    }
  }
}
