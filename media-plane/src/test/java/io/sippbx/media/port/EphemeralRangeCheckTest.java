package io.sippbx.media.port;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EphemeralRangeCheckTest {

  @TempDir Path folder;

  private EphemeralRangeCheck machine(String range, String reserved) throws IOException {
    return new EphemeralRangeCheck(
        Files.writeString(folder.resolve("range"), range),
        Files.writeString(folder.resolve("reserved"), reserved));
  }

  @Test
  void namesBothRangesWhenTheyOverlap() throws IOException {
    assertThat(machine("32768\t60999\n", "\n").problem(new PortRange(30_000, 40_000)))
        .hasValueSatisfying(
            problem ->
                assertThat(problem)
                    .contains("30000-40000", "32768-60999", "net.ipv4.ip_local_port_range"));
  }

  @Test
  void isContentWhenTheRangesAreApart() throws IOException {
    assertThat(machine("32768\t60999\n", "").problem(new PortRange(10_000, 20_000))).isEmpty();
    assertThat(machine("32768\t60999\n", "").problem(new PortRange(10_000, 32_767))).isEmpty();
    assertThat(machine("32768\t60999\n", "").problem(new PortRange(10_000, 32_768))).isPresent();
  }

  @Test
  void isContentWhenTheSystemReservesTheOverlap() throws IOException {
    var media = new PortRange(30_000, 40_000);
    assertThat(machine("32768 60999", "8080,32000-36000,36001,36002-50000\n").problem(media))
        .isEmpty();
    assertThat(machine("32768 60999", "32000-36000,36002-50000").problem(media)).isPresent();
    assertThat(machine("32768 60999", "32769-40000").problem(media)).isPresent();
    assertThat(machine("32768 60999", "32768-39999").problem(media)).isPresent();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "x", "32768", "60999 32768", "1 99999", "0 5", "-1 5"})
  void takesWhatItCannotReadForAnotherSystem(String text) throws IOException {
    assertThat(machine(text, "").problem(new PortRange(1, 65_535))).isEmpty();
  }

  @Test
  void takesAMissingFileForAnotherSystem() {
    var check = new EphemeralRangeCheck(folder.resolve("none"), folder.resolve("none"));
    assertThat(check.ephemeral()).isEmpty();
    assertThat(check.problem(new PortRange(1, 65_535))).isEmpty();
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void readsWhatThisMachineSays() throws IOException {
    // By its bytes, and not by its size, which /proc does not tell.
    String said;
    try (var in = Files.newInputStream(Path.of("/proc/sys/net/ipv4/ip_local_port_range"))) {
      said = new String(in.readNBytes(100), StandardCharsets.US_ASCII).strip();
    }
    String[] ends = said.split("\\s+", -1);
    assertThat(EphemeralRangeCheck.ofThisMachine().ephemeral())
        .contains(new PortRange(Integer.parseInt(ends[0]), Integer.parseInt(ends[1])));
  }
}
