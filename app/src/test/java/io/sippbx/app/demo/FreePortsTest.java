package io.sippbx.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.media.port.EphemeralRangeCheck;
import io.sippbx.media.port.PortRange;
import io.sippbx.shared.net.IpAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FreePortsTest {

  private static final IpAddress LOOPBACK = IpAddress.of("127.0.0.1");

  @TempDir private Path folder;

  private EphemeralRangeCheck machine(String range) throws IOException {
    Path file = Files.writeString(folder.resolve("range"), range + "\n");
    return new EphemeralRangeCheck(file, folder.resolve("none"));
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void staysOutOfWhatTheSystemGives(long seed) throws Exception {
    FreePorts.Found found = FreePorts.find(LOOPBACK, machine("20000\t65535"), new Random(seed));
    assertThat(found.overlaps()).isFalse();
    assertThat(found.range().overlaps(new PortRange(20_000, 65_535))).isFalse();
    assertThat(found.range().pairs()).isEqualTo(FreePorts.PORTS / 2);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void saysSoWhereTheSystemGivesAllPorts(long seed) throws Exception {
    FreePorts.Found found = FreePorts.find(LOOPBACK, machine("1024\t65535"), new Random(seed));
    assertThat(found.overlaps()).isTrue();
    assertThat(found.range().pairs()).isEqualTo(FreePorts.PORTS / 2);
  }
}
