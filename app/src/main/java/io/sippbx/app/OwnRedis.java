package io.sippbx.app;

import io.sippbx.control.store.redis.RedisProcess;
import io.sippbx.control.store.redis.RedisStartException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.FutureTask;

/** A Redis of this process' own that is started beside the rest of it. */
final class OwnRedis implements AutoCloseable {

  private final FutureTask<RedisProcess> starting;

  private OwnRedis(FutureTask<RedisProcess> starting) {
    this.starting = starting;
  }

  /**
   * Starts it on a thread of its own; {@link #await} tells what became of that.
   *
   * @param folder of its data
   * @param atMost how long it may take to read its data
   */
  static OwnRedis begin(Path folder, Duration atMost) {
    var own = new OwnRedis(new FutureTask<>(() -> RedisProcess.start(folder, atMost)));
    Thread.ofPlatform().daemon().name("redis-start").start(own.starting);
    return own;
  }

  /** Waits for it; it stays this object's to close. */
  RedisProcess await() throws RedisStartException, InterruptedException {
    return Futures.await(starting, RedisStartException.class);
  }

  /** How often it has ended by itself and was started again. */
  long restarts() {
    try {
      return starting.isDone() ? await().restarts() : 0;
    } catch (RedisStartException e) {
      return 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 0;
    }
  }

  /** Ends it, if it was started: waits for that within the time that the start was given. */
  @Override
  public void close() {
    RedisProcess process;
    try {
      process = await();
    } catch (RedisStartException e) {
      // There is none to be ended, and who waited for it was told.
      return;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    process.close();
  }
}
