package io.sippbx.control.store.redis;

/** Redis cannot be used by this node; the message says why and names what is set. */
public sealed class RedisStartException extends Exception permits RedisStartException.NoServer {

  RedisStartException(String message) {
    super(message);
  }

  RedisStartException(String message, Throwable cause) {
    super(message, cause);
  }

  /** There is no Redis on this machine that runs: a server of one's own cannot be had. */
  public static final class NoServer extends RedisStartException {
    NoServer(String message) {
      super(message);
    }
  }
}
