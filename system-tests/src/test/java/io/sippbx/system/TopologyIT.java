package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.system.Sipp.Transport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the callee gets to see of the caller: the name, and nothing of the network. */
class TopologyIT {

  private static final String CALLER_IP = "127.0.0.2";
  private static final String CALLEE_IP = "127.0.0.3";
  // The same as the four octets in a packet's header.
  private static final String CALLER_IP_OCTETS = "\u007F\0\0\u0002";

  @TempDir Path folder = Path.of("");

  @Test
  void tellsTheCalleeNothingOfTheCallersNetwork() throws IOException {
    Path capture = folder.resolve("callee.pcap");
    try (EdgeProcess edge = EdgeProcess.standalone(folder);
        Sipp callee = Sipp.scenario("callee").at(CALLEE_IP).option("-d", "50").listen(folder);
        Child tcpdump =
            Child.start(
                "tcpdump",
                folder,
                List.of(
                    Tool.TCPDUMP.path(),
                    "-i",
                    "lo",
                    "-s0",
                    "-U",
                    "--immediate-mode",
                    "-w",
                    capture.toString(),
                    "dst host " + CALLEE_IP))) {
      boolean permitted =
          tcpdump
              .awaitLine(line -> line.contains("listening on"), Duration.ofSeconds(10))
              .isPresent();
      Phones.register(edge, folder, Transport.UDP, "bob", CALLEE_IP, callee);
      Sipp caller =
          Sipp.scenario("caller")
              .at(CALLER_IP)
              .option("-d", "300")
              .succeed(folder, edge.sip(Transport.UDP));
      callee.awaitSuccess();
      edge.awaitNothingLeft();

      // Who may not capture packets reads what the callee wrote down of the messages.
      String seen = callee.messages();
      if (permitted) {
        tcpdump.terminate();
        tcpdump.awaitExit(Duration.ofSeconds(10));
        seen = Files.readString(capture, StandardCharsets.ISO_8859_1);
      }
      assertThat(seen)
          .contains("INVITE sip:bob@" + CALLEE_IP, "ACK sip:", "BYE sip:", "c=IN IP4 127.0.0.1")
          .doesNotContain(CALLER_IP, CALLER_IP_OCTETS)
          .doesNotContain(caller.callId())
          .doesNotContain(sent(caller, "tag=(alice[^;\\s]+)"))
          .doesNotContain(sent(caller, "branch=(z9hG4bK-\\d+-)"));
    }
  }

  private static String sent(Sipp caller, String pattern) {
    Matcher found = Pattern.compile(pattern).matcher(caller.messages());
    assertThat(found.find()).isTrue();
    return found.group(1);
  }
}
