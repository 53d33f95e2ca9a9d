package io.sippbx.shared.sdp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.sippbx.shared.sdp.SdpParseResult.Parsed;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is read is written as it came; what is broken is a value, never a throw. */
class SdpFuzzTest {

  static LongStream seeds() {
    return LongStream.rangeClosed(1, 20);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void writesWhatItRead(long seed) {
    var source = new RandomSdp(seed);
    for (int i = 0; i < 100; i++) {
      byte[] text = source.next().getBytes(StandardCharsets.ISO_8859_1);
      SdpParseResult result = SessionDescription.parse(text, SdpLimits.DEFAULT);
      assertThat(result).as("seed=" + seed + " i=" + i).isInstanceOf(Parsed.class);
      assertThat(((Parsed) result).description().toBytes())
          .as("seed=" + seed + " i=" + i)
          .isEqualTo(text);
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void aChangeLeavesAllOtherLines(long seed) {
    var random = new Random(seed);
    var source = new RandomSdp(seed);
    for (int i = 0; i < 50; i++) {
      byte[] text = source.next().getBytes(StandardCharsets.ISO_8859_1);
      var sdp = ((Parsed) SessionDescription.parse(text, SdpLimits.DEFAULT)).description();
      if (sdp.media().isEmpty()) {
        continue;
      }
      int index = random.nextInt(sdp.media().size());
      SessionDescription changed = sdp.withMedia(index, m -> m.withPort(7));
      List<String> before = sdp.toString().lines().toList();
      List<String> after = changed.toString().lines().toList();
      assertThat(after).hasSameSizeAs(before);
      long differing = 0;
      for (int line = 0; line < before.size(); line++) {
        differing += before.get(line).equals(after.get(line)) ? 0 : 1;
      }
      assertThat(differing).as("seed=" + seed + " i=" + i).isLessThanOrEqualTo(1);
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void neverThrowsAndIsStable(long seed) {
    var random = new Random(seed);
    var source = new RandomSdp(seed);
    int parsed = 0;
    for (int i = 0; i < 1_000; i++) {
      byte[] text = mutated(source.next().getBytes(StandardCharsets.ISO_8859_1), random);
      if (SessionDescription.parse(text, SdpLimits.DEFAULT)
          instanceof Parsed(SessionDescription sdp)) {
        parsed++;
        useAllViews(sdp);
        byte[] written = sdp.toBytes();
        SdpParseResult again = SessionDescription.parse(written, SdpLimits.DEFAULT);
        assertThat(again).as("seed=" + seed + " i=" + i).isEqualTo(new Parsed(sdp));
      }
    }
    assertThat(parsed).as("some mutations are harmless").isBetween(1, 999);
  }

  private static byte[] mutated(byte[] text, Random random) {
    byte[] mutated = text;
    for (int i = 0; i <= random.nextInt(4); i++) {
      if (mutated.length == 0) {
        return mutated;
      }
      int at = random.nextInt(mutated.length);
      switch (random.nextInt(5)) {
        case 0 -> mutated[at] = (byte) random.nextInt(256);
        case 1 -> mutated[at] = (byte) " \r\n\0=:/0".charAt(random.nextInt(9 - 1));
        case 2 -> mutated = Arrays.copyOf(mutated, at);
        case 3 -> {
          int length = Math.min(random.nextInt(40), mutated.length - at);
          byte[] doubled = Arrays.copyOf(mutated, mutated.length + length);
          System.arraycopy(mutated, at, doubled, at + length, mutated.length - at);
          mutated = doubled;
        }
        default -> {
          int length = Math.min(random.nextInt(40), mutated.length - at);
          byte[] cut = Arrays.copyOf(mutated, mutated.length - length);
          System.arraycopy(mutated, at + length, cut, at, mutated.length - at - length);
          mutated = cut;
        }
      }
    }
    return mutated;
  }

  private static void useAllViews(SessionDescription sdp) {
    assertThat(sdp.origin().line().toString()).startsWith("o=");
    assertThat(sdp.direction()).isNotNull();
    for (MediaDescription line : sdp.media()) {
      assertThat(line.rtcp().isPresent() && line.rtp().isEmpty()).isFalse();
      assertThat(line.payloadTypes()).allMatch(type -> type >= 0 && type <= 127);
      line.payloadTypes().forEach(line::rtpMap);
      line.formats().forEach(line::fmtp);
      assertThat(line.ptime().orElse(0)).isNotNegative();
      assertThat(line.rejected().isActive()).isFalse();
      assertThat(line.effectiveDirection().sends()).isEqualTo(line.direction().sends());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"a=\n", "a=rtpmap:0 a/1\n", "a=x:1.2.3.4 :::::\n", "c=IN IP4 x\n"})
  void costsTimeInProportionToItsLength(String line) {
    var limits = new SdpLimits(4_000_000, 2_000_000, 10, 1_000_000);
    String text = "v=0\no=- 1 1 IN IP4 192.0.2.1\n" + line.repeat(100_000);
    // Some tens of milliseconds; what is quadratic takes minutes.
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () ->
            assertThat(SessionDescription.parse(text.getBytes(StandardCharsets.ISO_8859_1), limits))
                .isInstanceOf(Parsed.class));
  }
}
