package io.sippbx.control.store.redis;

/** Redis cannot be used by this node; the message says why and names what is set. */
public final class RedisStartException extends Exception {
  RedisStartException(String message) {
    super(message);
  }

  RedisStartException(String message, Throwable cause) {
    super(message, cause);
  }
}
