package io.sippbx.control.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.store.LimitStore.Held;
import io.sippbx.control.store.LimitStore.LeaseAnswer;
import io.sippbx.control.store.LimitStore.Refused;
import io.sippbx.control.store.LimitStore.Released;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every {@link LimitStore} does. */
abstract class LimitStoreContract {

  private static final Duration LONG = Duration.ofHours(1);
  private static final CallKey A = CallStoreContract.key(1);
  private static final CallKey B = CallStoreContract.key(2);
  private static final CallKey C = CallStoreContract.key(3);

  abstract LimitStore store();

  abstract void pass(Duration time);

  abstract <T> T ask(Consumer<Consumer<T>> question);

  private LeaseAnswer take(String name, CallKey call, int limit, Duration lease) {
    return this.<LeaseAnswer>ask(answer -> store().take(name, call, limit, lease, answer));
  }

  private LeaseAnswer release(CallKey call) {
    return this.<LeaseAnswer>ask(answer -> store().release("trunk", call, answer));
  }

  @Test
  void lendsAsManyAsThereMayBe() {
    assertThat(take("trunk", A, 2, LONG)).isEqualTo(new Held(1));
    assertThat(take("trunk", B, 2, LONG)).isEqualTo(new Held(2));
    assertThat(take("trunk", C, 2, LONG)).isEqualTo(new Refused(2));
    assertThat(take("other", C, 2, LONG)).isEqualTo(new Held(1));
    assertThat(take("none", C, 0, LONG)).isEqualTo(new Refused(0));
  }

  @Test
  void lendsOneToACallHoweverOftenItAsks() {
    assertThat(take("trunk", A, 1, LONG)).isEqualTo(new Held(1));
    assertThat(take("trunk", A, 1, LONG)).isEqualTo(new Held(1));
    assertThat(take("trunk", B, 1, LONG)).isEqualTo(new Refused(1));
  }

  @Test
  void renewsWhatIsHeldThoughTheLimitIsLowerByNow() {
    take("trunk", A, 2, LONG);
    take("trunk", B, 2, LONG);
    assertThat(take("trunk", A, 1, LONG)).isEqualTo(new Held(2));
    assertThat(take("trunk", C, 1, LONG)).isEqualTo(new Refused(2));
  }

  @Test
  void takesBackWhatIsGivenBack() {
    take("trunk", A, 1, LONG);
    assertThat(release(A)).isEqualTo(new Released());
    assertThat(release(A)).isEqualTo(new Released());
    assertThat(take("trunk", B, 1, LONG)).isEqualTo(new Held(1));
  }

  @Test
  void endsALeaseThatNobodyRenews() {
    take("trunk", A, 1, Duration.ofMillis(700));
    take("other", A, 1, LONG);
    pass(Duration.ofMillis(800));
    assertThat(take("trunk", B, 1, LONG)).isEqualTo(new Held(1));
    assertThat(take("other", B, 1, LONG)).isEqualTo(new Refused(1));
  }

  /** The set must outlive its longest lease, whichever was taken last. */
  @Test
  void keepsALongLeaseBesideAShortOne() {
    take("trunk", A, 2, LONG);
    take("trunk", B, 2, Duration.ofMillis(300));
    pass(Duration.ofMillis(400));
    assertThat(take("trunk", C, 1, LONG)).isEqualTo(new Refused(1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a b", "{x}"})
  void refusesANameThatIsNone(String name) {
    assertThatThrownBy(() -> store().take(name, A, 1, LONG, answer -> {}))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
