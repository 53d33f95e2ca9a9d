package io.sippbx.benchmarks.survival;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Blocks of ports that processes share out among each other. */
class PortBlockTest {

  private static final Path LOCKS = Path.of("/proc/locks");

  /** Whether the kernel knows of a lock of this process on its file. */
  private static boolean isLocked(PortBlock block) throws IOException {
    String holder = " " + ProcessHandle.current().pid() + " ";
    String file = ":" + Files.getAttribute(block.lockFile(), "unix:ino") + " ";
    return Files.readAllLines(LOCKS).stream()
        .anyMatch(line -> line.contains(holder) && line.contains(file));
  }

  @Test
  void isNobodyElsesWhenMoreAreTakenUntilItIsGivenBack() throws IOException {
    assumeTrue(Files.exists(LOCKS), "only Linux tells of locks");
    PortBlock second;
    try (PortBlock first = PortBlock.take()) {
      second = PortBlock.take();
      try (PortBlock third = PortBlock.take()) {
        assertThat(first.last()).isNotEqualTo(second.last());
        assertThat(isLocked(first)).isTrue();
        assertThat(isLocked(second)).isTrue();
        assertThat(isLocked(third)).isTrue();
      }
      assertThat(isLocked(first)).isTrue();
      second.close();
      assertThat(isLocked(second)).isFalse();
    }
  }
}
