package io.sippbx.control.store;

import io.sippbx.control.store.redis.RealStore;
import io.sippbx.control.store.redis.RedisServer;
import io.sippbx.control.store.state.RegistrationCodec;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** The contract of registrations on a real Redis. */
class RedisRegistrationStoreIT extends RegistrationStoreContract {

  private static RedisServer server;
  private static RealStore real;

  @BeforeAll
  static void start() throws Exception {
    server = RedisServer.start();
    real = new RealStore(server.settings());
  }

  @AfterAll
  static void stop() throws IOException {
    real.close();
    server.close();
  }

  @BeforeEach
  void clear() throws IOException {
    server.clear();
  }

  @Override
  protected RegistrationStore store() {
    return real.store().registrations(real.loop(), new RegistrationCodec());
  }

  @Override
  protected Instant now() {
    return real.loop().now();
  }

  @Override
  protected void pass(Duration time) {
    Instant end = now().plus(time);
    RedisServer.await("time to pass", time.toMillis() + 10_000, () -> now().isAfter(end));
  }

  @Override
  protected <T> T ask(Consumer<Consumer<T>> question) {
    return real.ask(question);
  }
}
