package io.sippbx.app;

/** A node cannot start; the message says which key, which value and why. */
final class NodeStartException extends Exception {

  private static final long serialVersionUID = 1;

  NodeStartException(String message) {
    super(message);
  }

  NodeStartException(String message, Throwable cause) {
    super(message, cause);
  }
}
