package io.sippbx.servers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A child that lasts")
class LastingChildTest {

  @Test
  void outlivesTheThreadThatAskedForIt() throws Exception {
    var command = new ArrayList<>(LastingChild.endsWithUs());
    command.addAll(List.of("--", "sleep", "60"));
    var child = new CompletableFuture<Process>();
    Thread asking =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    child.complete(LastingChild.start(new ProcessBuilder(command)));
                  } catch (IOException e) {
                    child.completeExceptionally(e);
                  }
                });
    asking.join();
    try {
      // Without a parent that lives it ends with the thread, within milliseconds.
      assertThat(child.get().waitFor(500, TimeUnit.MILLISECONDS)).isFalse();
    } finally {
      child.get().destroyForcibly();
    }
  }

  @Test
  void saysWhatCannotBeRun() {
    assertThatThrownBy(() -> LastingChild.start(new ProcessBuilder("/nowhere/at-all")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("/nowhere/at-all");
  }
}
