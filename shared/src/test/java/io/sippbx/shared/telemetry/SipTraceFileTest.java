package io.sippbx.shared.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.telemetry.SipTraceFile.Direction;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("try") // what closing does is looked at before the resource ends
class SipTraceFileTest {

  private static final Instant TIME = Instant.parse("2025-01-05T10:15:30.123456789Z");

  @TempDir Path folder;

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  @Test
  void writesMessagesAsTheyAreUnderALineThatSaysWhence() throws IOException {
    Path file = folder.resolve("trace");
    try (var trace = SipTraceFile.open(file, 1 << 20, 2)) {
      trace.message(
          TIME,
          Direction.RECEIVED,
          "UDP",
          Endpoint.of("192.0.2.1", 5060),
          Endpoint.of("2001:db8::7", 5062),
          bytes("OPTIONS sip:pbx SIP/2.0\r\n\r\n"));
      trace.message(
          TIME,
          Direction.SENT,
          "TCP",
          Endpoint.of("192.0.2.1", 5060),
          Endpoint.of("192.0.2.7", 40_000),
          bytes("SIP/2.0 200 OK\r\n\r\nbody \u00ff"));
      trace.close();
      assertThat(trace.written()).isEqualTo(2);
      assertThat(trace.dropped()).isZero();
    }
    assertThat(Files.readAllBytes(file))
        .isEqualTo(
            bytes(
                "2025-01-05T10:15:30.123456Z RECEIVED UDP 192.0.2.1:5060 <- [2001:db8::7]:5062"
                    + " 27 bytes\nOPTIONS sip:pbx SIP/2.0\r\n\r\n----\n"
                    + "2025-01-05T10:15:30.123456Z SENT TCP 192.0.2.1:5060 -> 192.0.2.7:40000"
                    + " 24 bytes\nSIP/2.0 200 OK\r\n\r\nbody \u00ff\n----\n"));
  }

  @Test
  void staysWithinItsFiles() throws IOException {
    Path file = folder.resolve("trace");
    try (var trace = SipTraceFile.open(file, 65_536, 2)) {
      for (int i = 0; i < 300; i++) {
        trace.message(
            TIME,
            Direction.SENT,
            "UDP",
            Endpoint.of("192.0.2.1", 5060),
            Endpoint.of("192.0.2.7", 5060),
            new byte[1_000]);
      }
    }
    try (var files = Files.list(folder)) {
      assertThat(files)
          .hasSize(2)
          .allSatisfy(path -> assertThat(Files.size(path)).isLessThanOrEqualTo(65_536));
    }
  }
}
