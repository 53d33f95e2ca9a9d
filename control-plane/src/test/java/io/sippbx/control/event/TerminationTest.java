package io.sippbx.control.event;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("what a call ends with")
class TerminationTest {

  private static String guide() throws IOException {
    return Files.readString(Path.of("../docs/CDR.md"));
  }

  @ParameterizedTest
  @EnumSource
  void eachReasonStandsInTheGuide(Termination.Reason reason) throws IOException {
    assertThat(guide()).contains("`" + reason.text() + "`");
  }

  @ParameterizedTest
  @EnumSource
  void eachResultStandsInTheGuide(Termination.Result result) throws IOException {
    assertThat(guide()).contains("`" + result.text() + "`");
  }
}
