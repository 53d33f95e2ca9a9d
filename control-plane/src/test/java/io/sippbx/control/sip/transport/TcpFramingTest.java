package io.sippbx.control.sip.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.Peers.Received;
import io.sippbx.shared.net.Endpoint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("framing of a stream (RFC 3261 18.3, RFC 5626 4.4.1)")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TcpFramingTest {

  private static final Endpoint US = Endpoint.of("192.0.2.1", 5060);
  private static final Endpoint PEER = Endpoint.of("192.0.2.9", 40_000);
  private static final byte[] STREAM =
      Peers.bytes(
          message("1", "hello")
              + "\r\n\r\n"
              + message("2", "")
              + "\r\n"
              + message("3", "v=0\r\n\r\nno message in here: MESSAGE sip:a@b SIP/2.0\r\n\r\n")
              + "\r\n\r\n");
  private static final List<String> MESSAGES =
      List.of(
          "z9hG4bK1:hello",
          "z9hG4bK2:",
          "z9hG4bK3:v=0\r\n\r\nno message in here: MESSAGE sip:a@b SIP/2.0\r\n\r\n");

  private NettyLoops loops = NettyLoops.start(1, NettyLoops.Io.NIO);

  @BeforeAll
  void startsALoop() {
    assertThat(loops.loops().all()).hasSize(1);
  }

  @AfterAll
  void stopsTheLoop() {
    loops.close();
  }

  private static String message(String branch, String body) {
    return "MESSAGE sip:a@b SIP/2.0\r\nv: SIP/2.0/TCP 192.0.2.9:40000;branch=z9hG4bK"
        + branch
        + "\r\nf: <sip:c@d>;tag=1\r\nt: <sip:a@b>\r\ni: x\r\nCSeq: 1 MESSAGE\r\nMax-Forwards: 1\r\nl: "
        + body.length()
        + "\r\n\r\n"
        + body;
  }

  /** What came of the stream when it arrived in these pieces. */
  private record Outcome(List<String> messages, int pongs, long heldBytes) {}

  private Outcome feed(byte[] stream, int... cuts) {
    var counters = new TransportCounters();
    var inbound = new Inbound(Set.of(US), counters);
    var received = new Received();
    inbound.deliverTo(received);
    var all =
        new TcpConnections(loops, TransportLimits.DEFAULT, inbound, cause -> {}, Optional.empty());
    var channel = new EmbeddedChannel();
    channel
        .pipeline()
        .addLast(
            new TcpConnection(
                all,
                inbound,
                channel.eventLoop(),
                Flow.accepted(TransportProtocol.TCP, US, PEER, 7)));
    channel.pipeline().fireChannelActive();
    int from = 0;
    for (int i = 0; i <= cuts.length; i++) {
      int to = i == cuts.length ? stream.length : cuts[i];
      channel.writeInbound(Unpooled.copiedBuffer(stream, from, to - from));
      from = to;
    }
    var messages = new ArrayList<String>();
    for (SipMessage each : received.messages) {
      messages.add(each.topVia().branch().orElseThrow().value() + ":" + Peers.text(each.body()));
    }
    int pongs = 0;
    for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
      assertThat(Peers.text(readAll(out))).isEqualTo("\r\n");
      pongs++;
    }
    assertThat(received.malformed).isEmpty();
    long held = counters.halfReadBytes();
    channel.finishAndReleaseAll();
    assertThat(counters.halfReadBytes()).isZero();
    return new Outcome(messages, pongs, held);
  }

  private static byte[] readAll(ByteBuf out) {
    byte[] octets = new byte[out.readableBytes()];
    out.readBytes(octets);
    out.release();
    return octets;
  }

  @Test
  void findsTheSameMessagesAtEverySplit() {
    for (int cut = 1; cut < STREAM.length; cut++) {
      Outcome outcome = feed(STREAM, cut);
      assertThat(outcome.messages()).as("cut at %s", cut).isEqualTo(MESSAGES);
      assertThat(outcome.pongs()).as("cut at %s", cut).isEqualTo(2);
      assertThat(outcome.heldBytes()).isZero();
    }
  }

  @Test
  void findsThemOctetByOctet() {
    int[] cuts = new int[STREAM.length - 1];
    Arrays.setAll(cuts, i -> i + 1);
    assertThat(feed(STREAM, cuts)).isEqualTo(new Outcome(MESSAGES, 2, 0));
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void findsThemInPiecesOfAnySize(long seed) {
    var random = new Random(seed);
    for (int i = 0; i < 100; i++) {
      int[] cuts = random.ints(random.nextInt(12), 0, STREAM.length + 1).sorted().toArray();
      assertThat(feed(STREAM, cuts)).isEqualTo(new Outcome(MESSAGES, 2, 0));
    }
  }

  @Test
  void holdsNoMoreThanWhatIsUnfinished() {
    byte[] stream = Arrays.copyOf(STREAM, message("1", "hello").length() + 4 + 10);
    Outcome outcome = feed(stream);
    assertThat(outcome.messages()).hasSize(1);
    assertThat(outcome.heldBytes()).isEqualTo(10);
  }
}
