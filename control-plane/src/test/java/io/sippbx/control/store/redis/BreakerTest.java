package io.sippbx.control.store.redis;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BreakerTest {

  private final Breaker breaker = new Breaker(3);

  @Test
  void opensAfterSoManyFailuresInARow() {
    assertThat(breaker.failed()).isFalse();
    assertThat(breaker.failed()).isFalse();
    assertThat(breaker.allows()).isTrue();
    assertThat(breaker.failed()).isTrue();
    assertThat(breaker.allows()).isFalse();
    assertThat(breaker.openings()).isEqualTo(1);
  }

  @Test
  void forgetsFailuresWhenOneSucceeds() {
    breaker.failed();
    breaker.failed();
    breaker.succeeded();
    breaker.failed();
    breaker.failed();
    assertThat(breaker.allows()).isTrue();
  }

  @Test
  void isClosedByAProbeOnly() {
    for (int i = 0; i < 3; i++) {
      breaker.failed();
    }
    // Late answers to what was sent before it opened.
    breaker.succeeded();
    assertThat(breaker.failed()).as("asks for another probe").isFalse();
    assertThat(breaker.allows()).isFalse();
    breaker.probed();
    assertThat(breaker.allows()).isTrue();
    breaker.failed();
    breaker.failed();
    assertThat(breaker.allows()).isTrue();
  }
}
