package io.sippbx.media.control;

import io.grpc.Status;

/**
 * The one class of errors that end a call of the service. {@link ErrorInterceptor} turns it into a
 * status. What is wrong with one Apply or Release is no error of the stream: it is answered.
 */
@SuppressWarnings("serial")
final class MediaControlException extends RuntimeException {

  /** What went wrong, and the status that says so. */
  enum Kind {
    /** The peer said what the contract does not allow. */
    INVALID(Status.Code.INVALID_ARGUMENT),
    /** There is no such session. */
    NOT_FOUND(Status.Code.NOT_FOUND),
    /** A limit was met: of streams, or of messages that the peer did not take. */
    EXHAUSTED(Status.Code.RESOURCE_EXHAUSTED),
    /** The peer was too slow to begin. */
    TOO_LATE(Status.Code.DEADLINE_EXCEEDED),
    /** The node stops. */
    STOPPING(Status.Code.UNAVAILABLE);

    private final Status.Code code;

    Kind(Status.Code code) {
      this.code = code;
    }
  }

  private final Kind kind;

  private MediaControlException(Kind kind, String message) {
    // No stack trace: a peer causes these, as often as it likes.
    super(message, null, false, false);
    this.kind = kind;
  }

  Kind kind() {
    return kind;
  }

  Status status() {
    return Status.fromCode(kind.code).withDescription(getMessage());
  }

  static MediaControlException invalid(String field, String expected, String actual) {
    return new MediaControlException(
        Kind.INVALID, "Expected " + field + " to be " + expected + ", but got " + actual);
  }

  static MediaControlException notFound(String what) {
    return new MediaControlException(Kind.NOT_FOUND, "Expected to hold " + what + ", but do not");
  }

  static MediaControlException tooManyStreams(int limit) {
    return new MediaControlException(
        Kind.EXHAUSTED, "Expected at most " + limit + " streams of control nodes");
  }

  static MediaControlException tooSlow(int queued) {
    return new MediaControlException(
        Kind.EXHAUSTED, "Expected messages to be read, but " + queued + " wait");
  }

  static MediaControlException noHello() {
    return new MediaControlException(Kind.TOO_LATE, "Expected a Hello, but none came");
  }

  static MediaControlException stopping() {
    return new MediaControlException(Kind.STOPPING, "The node stops");
  }
}
