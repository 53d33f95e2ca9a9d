package io.sippbx.control.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MediaTargetTest {

  @Test
  void readsHostAndPort() {
    assertThat(MediaTarget.of("media.example:7070"))
        .isEqualTo(new MediaTarget.Network("media.example", 7_070));
    assertThat(MediaTarget.of("192.0.2.1:1")).hasToString("192.0.2.1:1");
    assertThat(MediaTarget.of("[2001:db8::1]:7070"))
        .isEqualTo(new MediaTarget.Network("2001:db8::1", 7_070))
        .hasToString("[2001:db8::1]:7070");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "media",
        "media:",
        ":7070",
        "media:x",
        "media:0",
        "media:65536",
        "2001:db8::1",
        "2001:db8::1:7070",
        "[media]:7070",
        "[]:7070",
        "media:-1"
      })
  void refusesAnythingElse(String text) {
    assertThatThrownBy(() -> MediaTarget.of(text)).isInstanceOf(IllegalArgumentException.class);
  }
}
