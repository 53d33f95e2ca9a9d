package io.sippbx.control.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.Registers;
import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.control.store.redis.FreshRedis;
import io.sippbx.control.store.redis.RedisServer;
import io.sippbx.control.store.state.RegistrationCodec;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The contract of registrations on a real Redis. */
class RedisRegistrationStoreIT extends RegistrationStoreContract {

  @RegisterExtension private static final FreshRedis REDIS = new FreshRedis();

  @Override
  protected RegistrationStore store() {
    return REDIS.real().store().registrations(REDIS.real().loop(), new RegistrationCodec(), OUTBOX);
  }

  @Override
  protected PartitionStore partitions() {
    return REDIS.real().store().partitions();
  }

  @Override
  protected Instant now() {
    return REDIS.real().loop().now();
  }

  @Override
  protected void pass(Duration time) {
    Instant end = now().plus(time);
    RedisServer.await("time to pass", time.toMillis() + 10_000, () -> now().isAfter(end));
  }

  @Test
  void refusesMoreThanTheLimitOfAllNodes() {
    var one = new RegistrationLimit(2, REDIS.real().loop()).on(REDIS.real().loop(), store());
    var other = new RegistrationLimit(2, REDIS.real().loop()).on(REDIS.real().loop(), store());
    assertThat(registers(one, "a")).isInstanceOf(CommitAnswer.Applied.class);
    assertThat(registers(other, "b")).isInstanceOf(CommitAnswer.Applied.class);
    pass(RegistrationLimit.GOOD_FOR);
    assertThat(registers(one, "c"))
        .isEqualTo(new CommitAnswer.Unknown<>("the limit of 2 addresses-of-record is reached"));
  }

  private CommitAnswer<Registration> registers(RegistrationStore at, String user) {
    return this.<CommitAnswer<Registration>>ask(
        answer ->
            at.commit(
                new RegistrationCommit(
                    new Aor(user, "example.org"),
                    0,
                    new CommitId(user.hashCode()),
                    Registers.record("<sip:1@h>", now().plusSeconds(600))),
                answer));
  }

  @Override
  protected <T> T ask(Consumer<Consumer<T>> question) {
    return REDIS.real().ask(question);
  }
}
