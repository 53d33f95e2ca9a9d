package io.sippbx.control.store;

import io.sippbx.control.store.redis.RealStore;
import io.sippbx.control.store.redis.RedisServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** The contract of calls on a real Redis. */
class RedisCallStoreIT extends CallStoreContract {

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

  /** Without its scripts too: the first commit of each test finds that they are not known. */
  @BeforeEach
  void clear() throws IOException {
    server.clear();
  }

  @Override
  CallStore<Note> store() {
    return real.store().calls(new Note.Codec());
  }

  @Override
  PartitionStore partitions() {
    return real.store().partitions();
  }

  @Override
  Instant now() {
    return real.store().clock().now(real.loop());
  }

  @Override
  void pass(Duration time) {
    Instant end = now().plus(time);
    RedisServer.await("time to pass", time.toMillis() + 10_000, () -> now().isAfter(end));
  }

  @Override
  void setEpoch(Partition partition, long epoch) {
    try {
      server.ask("HSET", partition.tag() + ":keeper", "epoch", Long.toString(epoch));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  <T> T ask(Consumer<Consumer<T>> question) {
    return real.ask(question);
  }
}
