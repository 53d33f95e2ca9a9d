package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two softphones call each other; each hears the other's tone, and not its own. */
class BaresipIT {

  private static final int RATE = 8_000;
  private static final int HEADER_BYTES = 44;
  private static final int ALICE_HZ = 500;
  private static final int BOB_HZ = 1_200;

  @TempDir Path folder = Path.of("");

  @Test
  void hearEachOther() throws IOException {
    try (EdgeProcess edge = EdgeProcess.standalone(folder, Passwords.users("alice", "bob"))) {
      String server = edge.address("udp");
      Path alice = phone("alice", server, ALICE_HZ, "manual");
      Path bob = phone("bob", server, BOB_HZ, "auto");
      try (Child callee = Child.start("baresip of bob", bob, command(bob, "40"))) {
        assertThat(callee.awaitLine(line -> line.contains("200 OK"), Duration.ofSeconds(20)))
            .as("bob is registered:\n%s", callee.tail())
            .isPresent();
        try (Child caller =
            Child.start(
                "baresip of alice", alice, command(alice, "6", "-e", "/dial sip:bob@" + server))) {
          // It quits by itself, and hangs up before.
          caller.awaitExit(Duration.ofSeconds(30));
          edge.awaitNothingLeft();
          callee.terminate();
          callee.awaitExit(Duration.ofSeconds(15));
          assertThat(strongest(heard(alice)))
              .as("what alice heard:\n%s", caller.tail())
              .isBetween(BOB_HZ - 10, BOB_HZ + 10);
          assertThat(strongest(heard(bob)))
              .as("what bob heard:\n%s", callee.tail())
              .isBetween(ALICE_HZ - 10, ALICE_HZ + 10);
        }
      }
      assertThat(edge.cdrs())
          .singleElement()
          .satisfies(
              cdr -> {
                assertThat(cdr.path("status").asText()).isEqualTo("completed");
                assertThat(cdr.path("codec").asText()).isEqualToIgnoringCase("pcmu");
                assertThat(cdr.path("caller_packets").asInt()).isGreaterThan(50);
                assertThat(cdr.path("callee_packets").asInt()).isGreaterThan(50);
              });
    }
  }

  private static List<String> command(Path home, String seconds, String... more) {
    var command =
        new ArrayList<String>(List.of(Tool.BARESIP.path(), "-4", "-f", home.toString(), "-t"));
    command.add(seconds);
    command.addAll(List.of(more));
    return command;
  }

  /** A phone's folder: what it is, whom it belongs to, and what it says. */
  private Path phone(String user, String server, int toneHz, String answers) throws IOException {
    Path home = Files.createDirectory(folder.resolve(user));
    int rtp = Ports.range(10);
    Files.writeString(
        home.resolve("config"),
        """
        sip_listen 127.0.0.1:%d
        audio_path %s
        audio_player aubridge,%s-hears
        audio_source aufile,%s
        audio_alert aubridge,%s-rings
        ausrc_srate 8000
        auplay_srate 8000
        ausrc_channels 1
        auplay_channels 1
        rtp_ports %d-%d
        snd_path %s
        module_path %s
        module g711.so
        module aufile.so
        module aubridge.so
        module sndfile.so
        module_tmp account.so
        module_app menu.so
        """
            .formatted(
                Ports.pair(),
                home,
                user,
                home.resolve("tone.wav"),
                user,
                rtp,
                rtp + 9,
                home,
                modules()));
    Files.writeString(
        home.resolve("accounts"),
        "<sip:%s@%s>;auth_pass=%s;answermode=%s;audio_codecs=PCMU/8000/1;regint=120\n"
            .formatted(user, server, Passwords.of(user), answers));
    Files.writeString(home.resolve("contacts"), "");
    Files.write(home.resolve("tone.wav"), tone(toneHz, Duration.ofSeconds(30)));
    return home;
  }

  private static Path modules() {
    for (String place : List.of("/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules")) {
      if (Files.exists(Path.of(place, "aufile.so"))) {
        return Path.of(place);
      }
    }
    throw new AssertionError("baresip has no aufile.so: install baresip-core (Debian)");
  }

  /** A sine as a WAV file: PCM, 16 bits, mono. */
  private static byte[] tone(int hz, Duration length) {
    int samples = (int) (RATE * length.toSeconds());
    ByteBuffer wav = ByteBuffer.allocate(HEADER_BYTES + 2 * samples).order(ByteOrder.LITTLE_ENDIAN);
    wav.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(36 + 2 * samples);
    wav.put("WAVEfmt ".getBytes(StandardCharsets.US_ASCII)).putInt(16);
    wav.putShort((short) 1).putShort((short) 1).putInt(RATE).putInt(2 * RATE);
    wav.putShort((short) 2).putShort((short) 16);
    wav.put("data".getBytes(StandardCharsets.US_ASCII)).putInt(2 * samples);
    for (int i = 0; i < samples; i++) {
      wav.putShort((short) (10_000 * Math.sin(2 * Math.PI * hz * i / RATE)));
    }
    return wav.array();
  }

  /** What a phone wrote down of what it decoded. */
  private static Path heard(Path home) throws IOException {
    try (Stream<Path> files = Files.list(home)) {
      return files
          .filter(each -> each.toString().endsWith("-dec.wav"))
          .findFirst()
          .orElseThrow(() -> new AssertionError("nothing was heard in " + home));
    }
  }

  /** The frequency, in steps of 10 Hz, that is strongest in a recording of at least two seconds. */
  private static int strongest(Path recording) throws IOException {
    ByteBuffer wav = ByteBuffer.wrap(Files.readAllBytes(recording)).order(ByteOrder.LITTLE_ENDIAN);
    int samples = (wav.capacity() - HEADER_BYTES) / 2;
    assertThat(samples).as("samples in %s", recording).isGreaterThan(2 * RATE);
    int best = 0;
    double bestPower = 0;
    for (int hz = 200; hz < 3_400; hz += 10) {
      double power = power(wav, samples, hz);
      if (power > bestPower) {
        best = hz;
        bestPower = power;
      }
    }
    return best;
  }

  /** Goertzel's algorithm. */
  private static double power(ByteBuffer wav, int samples, int hz) {
    double coefficient = 2 * Math.cos(2 * Math.PI * hz / RATE);
    double last = 0;
    double beforeLast = 0;
    for (int i = 0; i < samples; i++) {
      double value = wav.getShort(HEADER_BYTES + 2 * i) + coefficient * last - beforeLast;
      beforeLast = last;
      last = value;
    }
    return last * last + beforeLast * beforeLast - coefficient * last * beforeLast;
  }
}
