package io.sippbx.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The demo, in this process, over real sockets. */
class DemoCommandIT {

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... arguments) {
    return new CommandLine(new DemoCommand())
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--seconds=1 --redis",
        "--seconds=1 --tcp --hold",
        "--seconds=1 --tcp --ipv6 --hold"
      })
  void showsACallThatIsRight(String arguments) {
    int code = run(arguments.split(" "));
    String shown = out.toString();
    assertThat(code).as(shown).isZero();
    assertThat(shown)
        .contains("401 Unauthorized")
        .contains("407 Proxy Authentication Required")
        .contains("180 Ringing")
        .contains("200 OK to BYE")
        .contains("\"status\":\"completed\"")
        .contains("OK: all")
        .doesNotContain("FAILED");
    if (arguments.contains("--ipv6")) {
      assertThat(shown).contains("[::1]:").doesNotContain("127.0.0.1");
    }
    if (arguments.contains("--hold")) {
      assertThat(shown).contains("re-INVITE (SDP sendonly)").contains("on hold media flowed");
    }
  }

  @Test
  void saysWhichSecondsItTakes() {
    assertThat(run("--seconds=0")).isEqualTo(CommandLine.ExitCode.USAGE);
    assertThat(err.toString()).contains("--seconds: Expected 1 to 60 seconds, but got 0");
    assertThat(out.toString()).isEmpty();
  }
}
