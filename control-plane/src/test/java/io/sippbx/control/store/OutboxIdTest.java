package io.sippbx.control.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OutboxIdTest {

  @ParameterizedTest
  @ValueSource(strings = {"0-0", "1767225600000-12", "9999999999999999999-9999999999999999999"})
  void takesTwoNumbers(String text) {
    assertThat(new OutboxId(text)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-",
        "1",
        "1-",
        "-1",
        "1-2-3",
        "1-a",
        " 1-2",
        "1-2 ",
        "99999999999999999999-0"
      })
  void refusesWhatIsNone(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new OutboxId(text))
        .withMessageContaining("two numbers");
  }

  @Test
  void isInOrderOfTimeAndThenOfOrdinal() {
    assertThat(new OutboxId("9-10")).isGreaterThan(new OutboxId("9-9"));
    assertThat(new OutboxId("10-0")).isGreaterThan(new OutboxId("9-10"));
  }
}
