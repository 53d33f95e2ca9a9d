package io.sippbx.app.demo;

/** The demo cannot go on; the message says to a newcomer what was expected and did not come. */
public final class DemoFailure extends Exception {

  private static final long serialVersionUID = 1L;

  /** With this message. */
  public DemoFailure(String message) {
    super(message);
  }

  /** With this message and what was behind it. */
  public DemoFailure(String message, Throwable cause) {
    super(message, cause);
  }
}
