package io.sippbx.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.message.TransportProtocol;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class DemoTest {

  @Test
  void saysWhyTheNodeCouldNotBeStarted() throws Exception {
    var out = new StringWriter();
    var demo =
        new Demo(
            new DemoSettings(1, TransportProtocol.UDP, false, false, false),
            configuration -> {
              throw new DemoFailure("the node could not be started: no luck");
            },
            new PrintWriter(out));
    assertThat(demo.run()).isFalse();
    assertThat(out.toString())
        .contains("FAILED: the node could not be started: no luck")
        .doesNotContain("The log is kept: ");
  }
}
