package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.system.Sipp.Transport;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Two hundred calls that are up at once, with media through every one of them: a whole machine's.
 */
@Tag("calm")
class ManyCallsIT {

  private static final int CALLS = 200;
  private static final int PORTS_OF_A_CALL = 4;
  // The answer that a caller got: the port of the relay that it is to send to.
  private static final Pattern ANSWERED =
      Pattern.compile(
          "message received.*?\\R\\R(SIP/2\\.0 200 OK.*?m=audio (\\d+) )", Pattern.DOTALL);

  @TempDir Path folder = Path.of("");

  @ParameterizedTest
  @EnumSource(Transport.class)
  void holdsTwoHundredCallsWithMedia(Transport transport) throws IOException {
    try (EdgeProcess edge =
            EdgeProcess.start(
                folder, 2 * CALLS * PORTS_OF_A_CALL, List.of(), List.of(), List.of("standalone"));
        var phone = new DatagramSocket(null);
        Sipp callee =
            Sipp.scenario("callee")
                .over(transport)
                .calls(CALLS)
                .within(80)
                .option("-d", "50", "-rtp_echo")
                .listen(folder)) {
      phone.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.pair()));
      Phones.register(edge, folder, transport, "bob", "127.0.0.1", callee);
      try (Sipp caller =
          Sipp.scenario("caller")
              .over(transport)
              .calls(CALLS)
              .within(80)
              .with("rtp", phone.getLocalPort())
              .option("-r", "40", "-l", Integer.toString(CALLS), "-d", "20000")
              .start(folder, edge.sip(transport))) {
        Await.until(
            "all calls are up",
            Duration.ofSeconds(30),
            () -> relayPorts(caller).size(),
            answered -> answered == CALLS);
        assertThat(edge.activeCalls()).isEqualTo(CALLS);
        // What the media node said last, four times a second.
        Await.until(
            "the ports of all calls are in use",
            Duration.ofSeconds(5),
            edge::portsInUse,
            ports -> ports == CALLS * PORTS_OF_A_CALL);

        Set<Integer> ports = relayPorts(caller);
        Set<Integer> heard = new TreeSet<>();
        var packets = new RtpSource();
        Await.until(
            "every call carries packets both ways",
            Duration.ofSeconds(15),
            () -> {
              for (int port : ports) {
                phone.send(packets.next(port));
              }
              heard.addAll(hear(phone));
              return heard.size();
            },
            calls -> calls == CALLS);
        assertThat(heard).isEqualTo(ports);

        caller.awaitSuccess();
        callee.awaitSuccess();
      }
      edge.awaitNothingLeft();
      assertThat(edge.stats().path("total_calls").asInt()).isEqualTo(CALLS);
      Await.until(
          "every call has its CDR",
          Duration.ofSeconds(10),
          () -> edge.cdrs().size(),
          records -> records == CALLS);
      assertThat(edge.cdrs())
          .allSatisfy(
              cdr -> {
                assertThat(cdr.path("status").asText()).isEqualTo("completed");
                assertThat(cdr.path("caller_packets").asInt()).isPositive();
                assertThat(cdr.path("callee_packets").asInt()).isPositive();
              });
    }
  }

  private static Set<Integer> relayPorts(Sipp caller) {
    return ANSWERED
        .matcher(caller.messages())
        .results()
        .map((MatchResult each) -> Integer.valueOf(each.group(2)))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** The relay's ports from which packets come, until there is a pause. */
  private static Set<Integer> hear(DatagramSocket phone) throws IOException {
    var from = new TreeSet<Integer>();
    phone.setSoTimeout(50);
    var packet = new DatagramPacket(new byte[2_000], 2_000);
    // More than can be on their way.
    for (int i = 0; i < 10 * CALLS; i++) {
      try {
        phone.receive(packet);
      } catch (SocketTimeoutException e) {
        return from;
      }
      assertThat(packet.getData()[0] & 0xC0).as("version 2").isEqualTo(0x80);
      from.add(packet.getPort());
    }
    return from;
  }

  /** Packets of 20 ms of G.711 silence, one stream for each call. */
  private static final class RtpSource {
    private int count;

    DatagramPacket next(int port) {
      byte[] packet = new byte[12 + 160];
      Arrays.fill(packet, 12, packet.length, (byte) 0xFF);
      int number = count++ / CALLS;
      ByteBuffer.wrap(packet)
          .put((byte) 0x80)
          .put((byte) 0)
          .putShort((short) number)
          .putInt(160 * number)
          .putInt(port);
      return new DatagramPacket(
          packet, packet.length, new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    }
  }
}
