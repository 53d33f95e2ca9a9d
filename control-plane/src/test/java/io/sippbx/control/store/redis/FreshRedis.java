package io.sippbx.control.store.redis;

import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A real Redis for the tests of a class and those nested in it, empty before each of them. */
public final class FreshRedis implements BeforeAllCallback, BeforeEachCallback, AfterAllCallback {

  private @Nullable RedisServer server;
  private @Nullable RealStore real;
  private int depth;

  @Override
  public void beforeAll(ExtensionContext context) throws Exception {
    if (depth++ == 0) {
      server = RedisServer.start();
      real = new RealStore(server.settings());
    }
  }

  /** Without its scripts too: the first commit of each test finds that they are not known. */
  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    server().clear();
  }

  @Override
  public void afterAll(ExtensionContext context) throws IOException {
    if (--depth == 0) {
      real().close();
      server().close();
    }
  }

  /** The server itself. */
  public RedisServer server() {
    return Objects.requireNonNull(server, "not started");
  }

  /** The stores on it. */
  public RealStore real() {
    return Objects.requireNonNull(real, "not started");
  }
}
