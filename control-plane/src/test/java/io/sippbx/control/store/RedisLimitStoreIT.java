package io.sippbx.control.store;

import io.sippbx.control.store.redis.FreshRedis;
import io.sippbx.control.store.redis.RedisServer;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The contract of limits on a real Redis. */
class RedisLimitStoreIT extends LimitStoreContract {

  @RegisterExtension private static final FreshRedis REDIS = new FreshRedis();

  @Override
  LimitStore store() {
    return REDIS.real().store().limits();
  }

  @Override
  void pass(Duration time) {
    Instant end = Instant.now().plus(time);
    RedisServer.await("time to pass", time.toMillis() + 10_000, () -> Instant.now().isAfter(end));
  }

  @Override
  <T> T ask(Consumer<Consumer<T>> question) {
    return REDIS.real().ask(question);
  }
}
