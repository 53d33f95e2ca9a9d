package io.sippbx.control.store;

import io.sippbx.control.store.redis.RealStore;
import io.sippbx.control.store.redis.RedisServer;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** The contract of limits on a real Redis. */
class RedisLimitStoreIT extends LimitStoreContract {

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
  LimitStore store() {
    return real.store().limits();
  }

  @Override
  void pass(Duration time) {
    Instant end = Instant.now().plus(time);
    RedisServer.await("time to pass", time.toMillis() + 10_000, () -> Instant.now().isAfter(end));
  }

  @Override
  <T> T ask(Consumer<Consumer<T>> question) {
    return real.ask(question);
  }
}
