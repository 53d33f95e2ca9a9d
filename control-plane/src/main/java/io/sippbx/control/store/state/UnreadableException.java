package io.sippbx.control.store.state;

/** What is stored cannot be understood. Never leaves this package: {@link Decoded.Unreadable}. */
final class UnreadableException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  UnreadableException(String message) {
    super(message);
  }
}
