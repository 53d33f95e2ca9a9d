package io.sippbx.media.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.media.relay.SessionCounts.EndCounts;
import io.sippbx.media.rtp.MediaKind;
import io.sippbx.media.rtp.PayloadForm;
import io.sippbx.media.rtp.PayloadTypes;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Anything from anywhere, while plans change: nothing throws, every datagram is counted once, and
 * what is sent is what came, to an address that the other end named or sent from.
 */
@DisplayName("packet path under random datagrams and plans")
class PacketPathFuzzTest {

  private static final CallKey CALL = CallKey.ofBytes(new byte[16]);
  private static final int DATAGRAMS = 30_000;

  private static final List<Endpoint> PLACES =
      List.of(
          Endpoint.of("192.0.2.1", 4_000),
          Endpoint.of("192.0.2.1", 4_001),
          Endpoint.of("198.51.100.7", 5_000),
          Endpoint.of("0.0.0.0", 5_000),
          Endpoint.of("2001:db8::1", 6_000));

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void relaysOrCountsEachDatagram(long seed) {
    var random = new Random(seed);
    var loop = new ManualLoop();
    Relay relay =
        new WorkerRelay(
            "manual", RelaySettings.defaults().withWorkers(1), RelayListener.none(), i -> loop);
    Endpoint v4 = Endpoint.of("127.0.0.1", 0);
    Endpoint v6 = Endpoint.of("::1", 0);
    var results = new ArrayList<OpenResult>();
    relay.open(CALL, List.of(new StreamPorts(0, v4, v4, v6, v6)), plan(random), results::add);
    loop.turn();
    assertThat(results).hasSize(1).first().isInstanceOf(OpenResult.Opened.class);
    for (int i = 0; i < DATAGRAMS; i++) {
      loop.nowNs += random.nextLong(200_000_000);
      loop.isFull = random.nextInt(20) == 0;
      if (random.nextInt(100) == 0) {
        relay.update(CALL, plan(random));
        loop.turn();
      }
      ManualLoop.Socket socket = loop.sockets.get(random.nextInt(4));
      byte[] datagram = datagram(random);
      int before = loop.sent.size();
      loop.deliver(
          socket, datagram, PLACES.get(random.nextInt(PLACES.size())), random.nextInt(100));
      assertThat(loop.sent.size() - before).isBetween(0, 1);
      if (loop.sent.size() > before) {
        ManualLoop.Sent sent = loop.sent.getLast();
        assertThat(sent.datagram()).isEqualTo(ByteBuffer.wrap(datagram));
        // across the relay, and within the family of the socket
        assertThat(sent.from().ip().isV6()).isNotEqualTo(socket.local().ip().isV6());
        assertThat(sent.to().ip().isV6()).isEqualTo(sent.from().ip().isV6());
        assertThat(PLACES.contains(sent.to()) || PLACES.contains(portBefore(sent.to()))).isTrue();
      }
    }
    EndCounts a = relay.counts(CALL).orElseThrow().streams().getFirst().a();
    EndCounts b = relay.counts(CALL).orElseThrow().streams().getFirst().b();
    assertThat(seen(a) + seen(b)).isEqualTo(DATAGRAMS);
    // DTLS that is sent on is not counted at the end that it is sent to
    assertThat(forwarded(a) - b.sentPackets() - b.sentRtcpPackets()).isBetween(0L, a.dtlsPackets());
    assertThat(forwarded(b) - a.sentPackets() - a.sentRtcpPackets()).isBetween(0L, b.dtlsPackets());
    assertThat(a.dtlsPackets() + b.dtlsPackets()).isPositive();
    assertThat((long) loop.sent.size()).isEqualTo(forwarded(a) + forwarded(b));
    RelayCounts all = relay.counts();
    assertThat(all.defects()).isZero();
    assertThat(all.sentPackets()).isEqualTo(loop.sent.size());
    assertThat(all.rtpPackets() + all.rtcpPackets() + all.otherPackets())
        .isEqualTo(media(a) + media(b));
    assertThat(all.rtpPackets()).isPositive();
    assertThat(all.otherPackets()).isGreaterThan(a.dtlsPackets() + b.dtlsPackets());
    assertThat(all.droppedStun()).isEqualTo(a.droppedStun() + b.droppedStun()).isPositive();
    assertThat(all.droppedStray()).isEqualTo(a.droppedStray() + b.droppedStray()).isPositive();
    assertThat(all.droppedInvalid())
        .isEqualTo(a.droppedInvalid() + b.droppedInvalid())
        .isPositive();
    assertThat(all.droppedDirection())
        .isEqualTo(a.droppedDirection() + b.droppedDirection())
        .isPositive();
    assertThat(all.droppedUnsent()).isEqualTo(a.droppedUnsent() + b.droppedUnsent()).isPositive();
    relay.close();
  }

  private static long seen(EndCounts end) {
    return media(end) + end.droppedStray() + end.droppedInvalid() + end.droppedStun();
  }

  private static long forwarded(EndCounts from) {
    return media(from) - from.droppedDirection() - from.droppedUnsent();
  }

  private static long media(EndCounts from) {
    return from.packets() + from.rtcpPackets() + from.dtlsPackets();
  }

  /** RTCP goes to the port after RTP's where nothing else was said. */
  private static Endpoint portBefore(Endpoint endpoint) {
    return endpoint.withPort(endpoint.port() - 1);
  }

  private static SessionPlan plan(Random random) {
    List<StreamPlan> streams =
        random.nextInt(10) == 0
            ? List.of()
            : List.of(new StreamPlan(0, MediaKind.AUDIO, form(random), end(random), end(random)));
    return new SessionPlan(streams, Duration.ofSeconds(random.nextInt(3)));
  }

  private static PayloadForm form(Random random) {
    // as a rule RTP, by which most is judged
    return random.nextInt(3) > 0
        ? PayloadForm.RTP
        : List.of(PayloadForm.values()).get(random.nextInt(PayloadForm.values().length));
  }

  private static EndPlan end(Random random) {
    return new EndPlan(
        place(random, 8),
        place(random, 2),
        random.nextBoolean(),
        random.nextInt(5) > 0,
        random.nextInt(5) > 0,
        random.nextBoolean()
            ? PayloadTypes.any(MediaKind.AUDIO)
            : PayloadTypes.of(MediaKind.AUDIO, List.of(0, 8, 101)),
        random.nextInt(50));
  }

  private static Optional<Endpoint> place(Random random, int oneInSoManyIsNone) {
    return random.nextInt(oneInSoManyIsNone) == 0
        ? Optional.empty()
        : Optional.of(PLACES.get(random.nextInt(PLACES.size())));
  }

  private static byte[] datagram(Random random) {
    byte[] datagram =
        switch (random.nextInt(6)) {
          case 0 -> new byte[random.nextInt(200)];
          case 1 -> Packets.receiverReport(random.nextInt(), 1, random.nextInt(), 1);
          case 2 ->
              random.nextInt(5) == 0
                  ? Packets.stun()
                  : Packets.dtls(random.nextInt(), random.nextInt(200));
          default ->
              Packets.rtp(
                  List.of(0, 8, 96).get(random.nextInt(3)),
                  random.nextInt(6),
                  random.nextInt(65_536),
                  random.nextInt(),
                  random.nextInt(160));
        };
    if (random.nextInt(4) == 0 && datagram.length > 0) {
      datagram[random.nextInt(Math.min(12, datagram.length))] = (byte) random.nextInt();
    }
    return datagram;
  }
}
