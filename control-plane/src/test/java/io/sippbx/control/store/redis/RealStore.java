package io.sippbx.control.store.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.shared.config.Secret;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A {@link RedisStore} on real loops for a test, whose thread may wait for answers. */
public final class RealStore implements AutoCloseable {

  /** Longer than any answer may take. */
  private static final long ANSWER_SECONDS = 20;

  private final NettyLoops loops = NettyLoops.start(2);
  private final RedisStore store;

  /** Connects. */
  public RealStore(RedisSettings settings) throws RedisStartException {
    RedisStore made;
    try {
      made =
          RedisStore.start(
              settings,
              secret("s3cret"),
              loops.loops(),
              Optional.of(loops.group()),
              Duration.ofSeconds(20));
    } catch (RedisStartException e) {
      loops.close();
      throw e;
    }
    this.store = made;
  }

  static Secret<byte[]> secret(String text) {
    return new Secret<>(Bytes.of(text));
  }

  /** The store. */
  public RedisStore store() {
    return store;
  }

  /** The loops on which it answers. */
  public NettyLoops loops() {
    return loops;
  }

  /** One of them. */
  public Loop loop() {
    return loops.loops().all().getFirst();
  }

  /**
   * Asks and gives the one answer.
   *
   * @throws AssertionError if none comes or it does not come on a loop
   */
  public <T> T ask(Consumer<Consumer<T>> question) {
    BlockingQueue<Object> answers = new LinkedBlockingQueue<>();
    question.accept(
        answer -> answers.add(loops.current().isPresent() ? answer : "not on a loop: " + answer));
    try {
      Object answer = answers.poll(ANSWER_SECONDS, TimeUnit.SECONDS);
      assertThat(answer).as("an answer").isNotNull();
      assertThat(answer).isNotInstanceOf(String.class);
      @SuppressWarnings("unchecked") // the answer that was put in
      T typed = (T) answer;
      return typed;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  @Override
  public void close() {
    store.close();
    loops.close();
  }
}
