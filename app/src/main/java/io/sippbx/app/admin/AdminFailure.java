package io.sippbx.app.admin;

/** What was asked for was not done. The message is for people and names what it is about. */
final class AdminFailure extends Exception {

  private static final long serialVersionUID = 1L;

  private final Kind kind;

  /** Why, as an exit status. */
  enum Kind {
    /** The server refused it, or something that it needs did not answer. */
    FAILED(1),
    /** The server could not be reached. */
    NOT_REACHED(3),
    /** No token, or another one. */
    DENIED(4),
    /** There is no such thing. */
    NOT_FOUND(5);

    private final int exitStatus;

    Kind(int exitStatus) {
      this.exitStatus = exitStatus;
    }

    int exitStatus() {
      return exitStatus;
    }
  }

  AdminFailure(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  AdminFailure(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  Kind kind() {
    return kind;
  }
}
