package io.sippbx.shared.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class EndpointTest {

  @Test
  void isWrittenWithBracketsWhereNeeded() {
    assertEquals("192.0.2.1:5060", Endpoint.of("192.0.2.1", 5060).toString());
    assertEquals("[2001:db8::1]:5060", Endpoint.of("2001:DB8::1", 5060).toString());
  }

  @Test
  void isAValue() {
    assertEquals(Endpoint.of("::ffff:192.0.2.1", 1), Endpoint.of("192.0.2.1", 1));
    assertEquals(Endpoint.of("192.0.2.1", 2), Endpoint.of("192.0.2.1", 1).withPort(2));
    assertNotEquals(Endpoint.of("192.0.2.1", 2), Endpoint.of("192.0.2.1", 1));
  }

  @Test
  void refusesAPortOutOfRange() {
    assertEquals(0, Endpoint.of("::", 0).port());
    assertEquals(65_535, Endpoint.of("::", 65_535).port());
    assertThrows(IllegalArgumentException.class, () -> Endpoint.of("::", -1));
    assertThrows(IllegalArgumentException.class, () -> Endpoint.of("::", 65_536));
    assertThrows(IllegalArgumentException.class, () -> Endpoint.of("example.com", 1));
  }

  @Test
  void readsWhatItWrites() {
    for (Endpoint each : List.of(Endpoint.of("192.0.2.1", 5060), Endpoint.of("2001:db8::1", 0))) {
      assertThat(Endpoint.parse(each.toString())).contains(each);
    }
    for (String bad :
        List.of(
            "",
            ":",
            "192.0.2.1",
            "192.0.2.1:",
            "192.0.2.1:65536",
            "192.0.2.1:-1",
            "::1:5060",
            "[192.0.2.1]:1",
            "host:5060",
            "192.0.2.1:000001")) {
      assertThat(Endpoint.parse(bad)).as(bad).isEmpty();
    }
  }
}
