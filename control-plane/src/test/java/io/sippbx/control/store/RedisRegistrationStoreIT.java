package io.sippbx.control.store;

import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.control.store.redis.RealStore;
import io.sippbx.control.store.redis.RedisServer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** The contract of registrations on a real Redis. */
class RedisRegistrationStoreIT extends RegistrationStoreContract {

  private static RedisServer server;
  private static RealStore real;

  private final ByNumber codec = new ByNumber();

  /** Stores the number of a record that is kept here: what is tested is the store. */
  private static final class ByNumber implements RecordCodec<Registration> {
    private final List<Registration> all = new CopyOnWriteArrayList<>();

    @Override
    public byte[] head(Registration record) {
      synchronized (all) {
        all.add(record);
        return ByteBuffer.allocate(4).putInt(all.size() - 1).array();
      }
    }

    @Override
    public List<String> fields(Registration record) {
      return List.of();
    }

    @Override
    public byte[] field(Registration record, String name) {
      throw new IllegalArgumentException("Expected no field, but got " + name);
    }

    @Override
    public Decoded<Registration> decode(byte[] head, SortedMap<String, byte[]> fields) {
      return new Read<>(all.get(ByteBuffer.wrap(head).getInt()));
    }
  }

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
    return real.store().registrations(real.loop(), codec);
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
