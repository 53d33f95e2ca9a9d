package io.sippbx.control.sip.message;

/**
 * Why octets are no message that is taken: the closed list behind {@link ParseResult.Malformed}.
 */
enum Fault {
  MESSAGE_TOO_LARGE(513, "Message Too Large"),
  HEADERS_TOO_LARGE(513, "Headers Too Large"),
  TOO_MANY_HEADERS(513, "Too Many Headers"),
  TOO_MANY_VALUES(513, "Too Many Header Values"),
  TOO_MANY_VIAS(483, "Too Many Hops"),
  URI_TOO_LONG(414, "Request-URI Too Long"),
  BODY_TOO_LARGE(413, "Request Entity Too Large"),
  VERSION(505, "Version Not Supported"),
  START_LINE(400, "Bad Start Line"),
  REQUEST_URI(400, "Bad Request-URI"),
  NO_END_OF_HEADERS(400, "No End of Headers"),
  HEADER_LINE(400, "Bad Header Line"),
  HEADER_VALUE(400, "Bad Header Value"),
  REPEATED_HEADER(400, "Repeated Header"),
  BODY_CUT_SHORT(400, "Body Shorter Than Content-Length"),
  NO_CONTENT_LENGTH(400, "Missing Content-Length"),
  NO_VIA(400, "Missing Via"),
  NO_FROM(400, "Missing From"),
  NO_TO(400, "Missing To"),
  NO_CALL_ID(400, "Missing Call-ID"),
  NO_CSEQ(400, "Missing CSeq"),
  CSEQ_METHOD(400, "CSeq Method Mismatch"),
  BAD_VIA(400, "Bad Via"),
  BAD_FROM(400, "Bad From"),
  BAD_TO(400, "Bad To"),
  BAD_CALL_ID(400, "Bad Call-ID"),
  BAD_CSEQ(400, "Bad CSeq"),
  BAD_CONTACT(400, "Bad Contact"),
  BAD_ROUTE(400, "Bad Route"),
  BAD_MAX_FORWARDS(400, "Bad Max-Forwards"),
  BAD_EXPIRES(400, "Bad Expires"),
  BAD_CONTENT_LENGTH(400, "Bad Content-Length"),
  BAD_CONTENT_TYPE(400, "Bad Content-Type");

  final int status;
  final String reason;

  Fault(int status, String reason) {
    this.status = status;
    this.reason = reason;
  }
}
