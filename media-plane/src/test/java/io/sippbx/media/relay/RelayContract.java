package io.sippbx.media.relay;

import static io.sippbx.media.relay.Packets.PCMA;
import static io.sippbx.media.relay.Packets.audio;
import static io.sippbx.media.relay.Packets.dtls;
import static io.sippbx.media.relay.Packets.receiverReport;
import static io.sippbx.media.relay.Packets.rtp;
import static io.sippbx.media.relay.Packets.stun;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.media.relay.OpenResult.BindFailed;
import io.sippbx.media.relay.OpenResult.BindFailure;
import io.sippbx.media.relay.OpenResult.Opened;
import io.sippbx.media.relay.OpenResult.Refusal;
import io.sippbx.media.relay.OpenResult.Refused;
import io.sippbx.media.relay.SessionCounts.EndCounts;
import io.sippbx.media.relay.start.Relays;
import io.sippbx.media.rtp.MediaKind;
import io.sippbx.media.rtp.PayloadForm;
import io.sippbx.media.rtp.PayloadTypes;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What every adapter must do, over UDP sockets on loopback. Time is the test's. */
abstract class RelayContract {

  private static final String V4 = "127.0.0.1";
  private static final String V6 = "::1";
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final CallKey CALL = key(1);

  private final AtomicLong clockNs = new AtomicLong(1_000_000_000_000L);

  /** What a worker has read of the clock last: its turn goes on with that. */
  private volatile long clockReadNs;

  private final BlockingQueue<String> events = new LinkedBlockingQueue<>();
  private final BlockingQueue<CallKey> probeTimeouts = new LinkedBlockingQueue<>();
  private final List<AutoCloseable> opened = new ArrayList<>();
  private Relay relay;

  /** The settings that choose the adapter under test. */
  abstract RelaySettings settings();

  /** What the adapter calls itself. */
  abstract String adapter();

  @BeforeEach
  void start() {
    relay = start(settings().withWorkers(1), listener());
  }

  @AfterEach
  void stop() throws Exception {
    assertThat(relay.counts().defects()).isZero();
    for (AutoCloseable each : opened) {
      each.close();
    }
  }

  // ---- forwarding

  @ParameterizedTest
  @CsvSource({"127.0.0.1,127.0.0.1", "::1,::1", "127.0.0.1,::1", "::1,127.0.0.1"})
  void relaysRtpBothWaysUnchanged(String ipA, String ipB) {
    Call call = call(ipA, ipB);
    for (int i = 0; i < 50; i++) {
      byte[] fromA = audio(0xA, 65_500 + i);
      call.a.send(fromA, call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(fromA);
      byte[] fromB = rtp(PCMA, 0xB, i, -1_000 + 160 * i, 33);
      call.b.send(fromB, call.ports.bRtp());
      assertThat(call.a.receive()).isEqualTo(fromB);
    }
    // each end hears from the address that it sends to: symmetric RTP
    assertThat(call.a.lastSource()).isEqualTo(call.ports.aRtp());
    assertThat(call.b.lastSource()).isEqualTo(call.ports.bRtp());
    SessionCounts last = close(CALL);
    assertThat(last.streams()).hasSize(1);
    EndCounts a = last.streams().getFirst().a();
    EndCounts b = last.streams().getFirst().b();
    assertThat(a.packets()).isEqualTo(50);
    assertThat(a.bytes()).isEqualTo(50 * 172);
    assertThat(a.sentPackets()).isEqualTo(50);
    assertThat(a.sentBytes()).isEqualTo(50 * 45);
    assertThat(a.lost()).isZero();
    assertThat(a.latched()).contains(call.a.local());
    assertThat(a.lastPacketNs()).hasValue(clockNs.get());
    assertThat(b.packets()).isEqualTo(50);
    assertThat(b.sentPackets()).isEqualTo(50);
    assertThat(b.latched()).contains(call.b.local());
    RelayCounts all = relay.counts();
    assertThat(all.rtpPackets()).isEqualTo(100);
    assertThat(all.sentPackets()).isEqualTo(100);
    assertThat(all.rtpBytes()).isEqualTo(50 * (172 + 45)).isEqualTo(all.sentBytes());
    assertThat(all.sessions()).isZero();
    assertThat(all.sockets()).isZero();
  }

  @Test
  void relaysRtcpBesideRtpOnPortsOfItsOwn() {
    Call call = call(V4, V4);
    byte[] report = receiverReport(0xA, 0xB, -3, 77);
    call.aRtcp.send(report, call.ports.aRtcp());
    assertThat(call.bRtcp.receive()).isEqualTo(report);
    assertThat(call.bRtcp.lastSource()).isEqualTo(call.ports.bRtcp());
    call.bRtcp.send(receiverReport(0xB, 0xA, 5, 9), call.ports.bRtcp());
    assertThat(call.aRtcp.receive()).isEqualTo(receiverReport(0xB, 0xA, 5, 9));
    EndCounts a = close(CALL).streams().getFirst().a();
    assertThat(a.rtcpPackets()).isEqualTo(1);
    assertThat(a.sentRtcpPackets()).isEqualTo(1);
    assertThat(a.packets()).isZero();
    assertThat(a.reportedLost()).isEqualTo(-3);
    assertThat(a.reportedJitterTicks()).isEqualTo(77);
    assertThat(a.latched()).isEmpty();
    assertThat(a.latchedRtcp()).contains(call.aRtcp.local());
  }

  @Test
  void movesRtcpBetweenSharedAndSeparatePorts() {
    Call call = call(V4, V4);
    follow(plan(mux(call.endA()), call.endB()));
    byte[] fromA = receiverReport(0xA, 0xB, 0, 0);
    call.a.send(fromA, call.ports.aRtp());
    assertThat(call.bRtcp.receive()).isEqualTo(fromA);
    byte[] fromB = receiverReport(0xB, 0xA, 0, 0);
    call.bRtcp.send(fromB, call.ports.bRtcp());
    assertThat(call.a.receive()).isEqualTo(fromB);
    assertThat(call.a.lastSource()).isEqualTo(call.ports.aRtp());
    // RTP goes on beside it
    call.a.send(audio(0xA, 1), call.ports.aRtp());
    assertThat(call.b.receive()).isEqualTo(audio(0xA, 1));
    // nothing is due at the RTCP port of an end that shares
    call.a.send(fromA, call.ports.aRtcp());
    call.a.send(audio(0xA, 2), call.ports.aRtp());
    assertThat(call.b.receive()).isEqualTo(audio(0xA, 2));
    assertThat(close(CALL).streams().getFirst().a().droppedInvalid()).isEqualTo(1);
  }

  @Test
  void bindsOneSocketForBothWhenAskedTo() {
    Phone a = phone(V4);
    Phone b = phone(V4);
    Endpoint atA = freePort(V4);
    Endpoint atB = freePort(V4);
    EndPlan endA = mux(end(a.local()));
    EndPlan endB = mux(end(b.local()));
    var ports = new StreamPorts(0, atA, atA, atB, atB);
    assertThat(open(CALL, List.of(ports), plan(endA, endB))).isEqualTo(new Opened(List.of(ports)));
    assertThat(relay.counts().sockets()).isEqualTo(2);
    a.send(audio(0xA, 1), atA);
    assertThat(b.receive()).isEqualTo(audio(0xA, 1));
    a.send(receiverReport(0xA, 0xB, 0, 0), atA);
    assertThat(b.receive()).isEqualTo(receiverReport(0xA, 0xB, 0, 0));
  }

  @Test
  void dropsWhatIsNotValidAndCountsIt() {
    Call call = call(V4, V4);
    int limit = settings().maxDatagramBytes();
    byte[] otherVersion = audio(0xA, 1);
    otherVersion[0] = 0x40;
    List<byte[]> invalid =
        List.of(
            new byte[0],
            new byte[] {(byte) 0x80},
            new byte[11],
            otherVersion,
            rtp(96, 0xA, 1, 0, 20), // not negotiated
            rtp(0, 0xA, 1, 0, limit - 12 + 1), // too long
            receiverReport(0xA, 0xB, 0, 0)); // not on this port
    for (byte[] datagram : invalid) {
      call.a.send(datagram, call.ports.aRtp());
    }
    call.aRtcp.send(audio(0xA, 1), call.ports.aRtcp());
    call.aRtcp.send(new byte[] {(byte) 0x80, (byte) 201, 0, 9, 0, 0, 0, 0}, call.ports.aRtcp());
    byte[] longest = rtp(0, 0xA, 2, 0, limit - 12);
    call.a.send(longest, call.ports.aRtp());
    assertThat(call.b.receive()).isEqualTo(longest);
    call.aRtcp.send(receiverReport(0xA, 0xB, 0, 0), call.ports.aRtcp());
    call.bRtcp.receive();
    EndCounts a = close(CALL).streams().getFirst().a();
    assertThat(a.droppedInvalid()).isEqualTo(invalid.size() + 2);
    assertThat(a.packets()).isEqualTo(1);
    assertThat(a.rtcpPackets()).isEqualTo(1);
    assertThat(relay.counts().droppedInvalid()).isEqualTo(invalid.size() + 2);
  }

  @Test
  void relaysVideoBesideAudio() {
    Phone a = phone(V4);
    Phone b = phone(V4);
    var audio = StreamPlan.rtp(0, MediaKind.AUDIO, end(a.local()), end(b.local()));
    EndPlan any = EndPlan.unknown(MediaKind.VIDEO);
    Phone videoA = phone(V4);
    Phone videoB = phone(V4);
    var video =
        StreamPlan.rtp(2, MediaKind.VIDEO, at(any, videoA.local()), at(any, videoB.local()));
    var plan = new SessionPlan(List.of(video, audio), Duration.ZERO);
    List<StreamPorts> ports = opened(open(CALL, List.of(anyPorts(0), anyPorts(2)), plan));
    byte[] frame = rtp(97, 0xF, 7, 90_000, 1_200);
    videoA.send(frame, ports.get(1).aRtp());
    assertThat(videoB.receive()).isEqualTo(frame);
    a.send(audio(0xA, 1), ports.get(0).aRtp());
    assertThat(b.receive()).isEqualTo(audio(0xA, 1));
    List<SessionCounts.Stream> streams = close(CALL).streams();
    assertThat(streams).extracting(SessionCounts.Stream::index).containsExactly(0, 2);
    assertThat(streams.get(1).a().clockRateHz()).isEqualTo(90_000);
    assertThat(streams.get(0).a().clockRateHz()).isEqualTo(8_000);
  }

  @Test
  void drainsAQueueInOrder() {
    Call call = call(V4, V4);
    int burst = 200;
    for (int i = 0; i < burst; i++) {
      call.a.send(audio(0xA, i), call.ports.aRtp());
    }
    for (int i = 0; i < burst; i++) {
      assertThat(Packets.sequence(call.b.receive())).isEqualTo(i);
    }
  }

  // ---- what is not RTP

  @Nested
  class BesideRtp {

    private SessionPlan form(Call call, PayloadForm form) {
      return form(form, call.endA(), call.endB());
    }

    private SessionPlan form(PayloadForm form, EndPlan a, EndPlan b) {
      return new SessionPlan(List.of(new StreamPlan(0, MediaKind.AUDIO, form, a, b)), TIMEOUT);
    }

    @Test
    void relaysDtlsOnThePortsOfRtpAndOfRtcp() {
      Call call = call(V4, V4);
      follow(form(call, PayloadForm.DTLS_SRTP));
      call.a.send(dtls(1, 200), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(dtls(1, 200));
      call.b.send(dtls(2, 900), call.ports.bRtp());
      assertThat(call.a.receive()).isEqualTo(dtls(2, 900));
      call.aRtcp.send(dtls(3, 5), call.ports.aRtcp());
      assertThat(call.bRtcp.receive()).isEqualTo(dtls(3, 5));
      // and the media beside it, which alone is a first packet
      assertThat(events).isEmpty();
      call.a.send(audio(0xA, 1), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(audio(0xA, 1));
      assertThat(event()).isEqualTo("first 0 A");
      EndCounts a = close(CALL).streams().getFirst().a();
      assertThat(a.dtlsPackets()).isEqualTo(2);
      assertThat(a.packets()).isEqualTo(1);
      assertThat(a.bytes()).isEqualTo(172);
      assertThat(a.sentPackets()).isZero();
      assertThat(relay.counts().otherPackets()).isEqualTo(3);
      assertThat(relay.counts().rtpPackets()).isEqualTo(1);
      assertThat(relay.counts().sentPackets()).isEqualTo(4);
    }

    @Test
    void relaysDtlsWhileTheMediaIsOnHold() {
      Call call = call(V4, V4);
      follow(
          form(
              PayloadForm.DTLS_SRTP,
              direction(call.endA(), false, false),
              direction(call.endB(), false, false)));
      call.a.send(dtls(1, 20), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(dtls(1, 20));
    }

    @Test
    void latchesByDtlsAndDropsStrangersAfterIt() {
      Call call = call(V4, V4);
      follow(form(call, PayloadForm.DTLS_SRTP));
      Phone behindNat = phone(V4);
      Phone stranger = phone(V4);
      behindNat.send(dtls(1, 20), call.ports.aRtp());
      call.b.receive();
      stranger.send(dtls(2, 20), call.ports.aRtp());
      await(() -> relay.counts().droppedStray() == 1);
      call.b.send(dtls(3, 20), call.ports.bRtp());
      assertThat(behindNat.receive()).isEqualTo(dtls(3, 20));
    }

    @Test
    void dropsDtlsWhereTheProfileHasNone() {
      Call call = call(V4, V4);
      call.a.send(dtls(1, 20), call.ports.aRtp());
      await(() -> relay.counts().droppedInvalid() == 1);
      follow(form(PayloadForm.DTLS_SRTP, mux(call.endA()), mux(call.endB())));
      // nothing is due at the RTCP port of ends that share
      call.aRtcp.send(dtls(1, 20), call.ports.aRtcp());
      await(() -> relay.counts().droppedInvalid() == 2);
      assertThat(relay.counts().otherPackets()).isZero();
    }

    @Test
    void dropsStunAndCountsItApart() {
      Call call = call(V4, V4);
      call.a.send(stun(), call.ports.aRtp());
      follow(form(call, PayloadForm.DTLS_SRTP));
      call.aRtcp.send(stun(), call.ports.aRtcp());
      call.a.send(audio(0xA, 1), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(audio(0xA, 1));
      await(() -> relay.counts().droppedStun() == 2);
      EndCounts a = close(CALL).streams().getFirst().a();
      assertThat(a.droppedStun()).isEqualTo(2);
      assertThat(a.droppedInvalid()).isZero();
      assertThat(a.latchedRtcp()).as("it is not latched to").isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1,127.0.0.1", "127.0.0.1,::1"})
    void relaysDatagramsWhateverTheyHold(String ipA, String ipB) {
      Call call = call(ipA, ipB);
      follow(form(call, PayloadForm.DATAGRAMS));
      for (int first = 0; first < 256; first++) {
        byte[] udptl = {(byte) first, 1, 2, 3, 0};
        call.a.send(udptl, call.ports.aRtp());
        assertThat(call.b.receive()).isEqualTo(udptl);
        call.b.send(new byte[] {(byte) first}, call.ports.bRtp());
        assertThat(call.a.receive()).isEqualTo(new byte[] {(byte) first});
      }
      assertThat(eventsOf(2)).containsExactly("first 0 A", "first 0 B");
      call.a.send(new byte[0], call.ports.aRtp());
      call.aRtcp.send(new byte[] {1}, call.ports.aRtcp());
      await(() -> relay.counts().droppedInvalid() == 2);
      assertThat(relay.counts().rtpPackets()).isZero();
      assertThat(relay.counts().rtcpPackets()).isZero();
      assertThat(relay.counts().otherPackets()).isEqualTo(512);
      EndCounts a = close(CALL).streams().getFirst().a();
      assertThat(a.packets()).isEqualTo(256);
      assertThat(a.bytes()).isEqualTo(256 * 5);
      assertThat(a.sentPackets()).isEqualTo(256);
      assertThat(a.sentBytes()).isEqualTo(256);
      assertThat(a.lost()).isZero();
      assertThat(a.jitterTicks()).isZero();
      assertThat(a.clockRateHz()).isZero();
      assertThat(a.rtcpPackets()).isZero();
    }

    @Test
    void protectsDatagramsFromStrangersAndHonoursTheirDirection() {
      Call call = call(V4, V4);
      follow(form(call, PayloadForm.DATAGRAMS));
      Phone stranger = phone(V4);
      stranger.send(new byte[] {1}, call.ports.aRtp());
      assertThat(call.b.receive()).containsExactly(1);
      // in the first 3 s the signalled address displaces any other
      call.a.send(new byte[] {2}, call.ports.aRtp());
      assertThat(call.b.receive()).containsExactly(2);
      stranger.send(new byte[] {3}, call.ports.aRtp());
      await(() -> relay.counts().droppedStray() == 1);
      follow(form(PayloadForm.DATAGRAMS, direction(call.endA(), false, true), call.endB()));
      call.a.send(new byte[] {4}, call.ports.aRtp());
      await(() -> relay.counts().droppedDirection() == 1);
    }

    @Test
    void takesAFaxInThePlaceOfAVoiceAndTheVoiceAgain() {
      Call call = call(V4, V4);
      call.a.send(audio(0xA, 1), call.ports.aRtp());
      call.b.receive();
      byte[] udptl = {0, 0, 1, 0, 0};
      call.a.send(udptl, call.ports.aRtp());
      await(() -> relay.counts().droppedInvalid() == 1);
      follow(form(call, PayloadForm.DATAGRAMS));
      call.a.send(udptl, call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(udptl);
      follow(form(call, PayloadForm.RTP));
      call.a.send(audio(0xA, 2), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(audio(0xA, 2));
      EndCounts a = close(CALL).streams().getFirst().a();
      assertThat(a.packets()).isEqualTo(3);
      assertThat(a.lost()).isZero();
    }
  }

  // ---- latching

  @Nested
  class Latching {

    @Test
    void sendsToTheSignalledAddressUntilLatchedAndThenToTheSource() {
      Call call = call(V4, V4);
      Phone behindNat = phone(V4);
      call.b.send(audio(0xB, 1), call.ports.bRtp());
      assertThat(call.a.receive()).isEqualTo(audio(0xB, 1));
      behindNat.send(audio(0xA, 1), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(audio(0xA, 1));
      call.b.send(audio(0xB, 2), call.ports.bRtp());
      assertThat(behindNat.receive()).isEqualTo(audio(0xB, 2));
      assertThat(relay.counts(CALL).orElseThrow().streams().getFirst().a().latched())
          .contains(behindNat.local());
    }

    @Test
    void dropsStrangersOnceLatched() {
      Call call = call(V4, V4);
      Phone stranger = phone(V4);
      call.a.send(audio(0xA, 1), call.ports.aRtp());
      call.b.receive();
      stranger.send(audio(0xBAD, 2), call.ports.aRtp());
      call.a.send(audio(0xA, 2), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(audio(0xA, 2));
      assertThat(close(CALL).streams().getFirst().a().droppedStray()).isEqualTo(1);
      assertThat(relay.counts().droppedStray()).isEqualTo(1);
    }

    @Test
    void letsTheSignalledAddressDisplaceAStrangerWhoCameFirst() {
      Call call = call(V4, V4);
      Phone stranger = phone(V4);
      stranger.send(audio(0xBAD, 1), call.ports.aRtp());
      call.b.receive();
      advance(Duration.ofMillis(2_999));
      call.a.send(audio(0xA, 2), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(audio(0xA, 2));
      stranger.send(audio(0xBAD, 3), call.ports.aRtp());
      call.b.send(audio(0xB, 1), call.ports.bRtp());
      assertThat(call.a.receive()).isEqualTo(audio(0xB, 1));
      assertThat(close(CALL).streams().getFirst().a().droppedStray()).isEqualTo(1);
    }

    @Test
    void holdsAfterThreeSecondsUntilTheSourceIsSilent() {
      Call call = call(V4, V4);
      Phone behindNat = phone(V4);
      behindNat.send(audio(0xA, 1), call.ports.aRtp());
      call.b.receive();
      advance(Duration.ofSeconds(3));
      behindNat.send(audio(0xA, 2), call.ports.aRtp());
      call.b.receive();
      advance(Duration.ofNanos(1_999_999_999));
      call.a.send(audio(0xA, 3), call.ports.aRtp()); // the signalled address, too early: stray
      await(() -> relay.counts().droppedStray() == 1);
      advance(Duration.ofNanos(1));
      call.a.send(audio(0xA, 4), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(audio(0xA, 4));
    }

    @Test
    void startsAgainWithAHigherEpoch() {
      Call call = call(V4, V4);
      call.a.send(audio(0xA, 1), call.ports.aRtp());
      call.b.receive();
      assertThat(event()).isEqualTo("first 0 A");
      Phone moved = phone(V4);
      EndPlan endA = at(call.endA(), moved.local());
      follow(plan(epoch(endA, 1), call.endB()));
      call.b.send(audio(0xB, 1), call.ports.bRtp());
      assertThat(moved.receive()).isEqualTo(audio(0xB, 1));
      assertThat(event()).isEqualTo("first 0 B");
      moved.send(audio(0xA, 2), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(audio(0xA, 2));
      assertThat(event()).isEqualTo("first 0 A");
      // the same epoch again changes nothing
      follow(plan(epoch(endA, 1), call.endB()));
      moved.send(audio(0xA, 3), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(audio(0xA, 3));
      call.a.send(audio(0xA, 4), call.ports.aRtp());
      await(() -> relay.counts().droppedStray() == 1);
      assertThat(events).isEmpty();
    }

    @Test
    void losesNothingOfTheOldPlaceAndDoesNotHoldIt() {
      Call call = call(V4, V4);
      call.a.send(audio(0xA, 1), call.ports.aRtp());
      call.b.receive();
      assertThat(event()).isEqualTo("first 0 A");
      Phone signalled = phone(V4);
      follow(plan(epoch(at(call.endA(), signalled.local()), 1), call.endB()));
      // still on its way when the plan came
      call.a.send(audio(0xA, 2), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(audio(0xA, 2));
      call.b.send(audio(0xB, 1), call.ports.bRtp());
      assertThat(signalled.receive()).isEqualTo(audio(0xB, 1));
      assertThat(event()).isEqualTo("first 0 B");
      Phone behindNat = phone(V4);
      behindNat.send(audio(0xA, 3), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(audio(0xA, 3));
      assertThat(event()).isEqualTo("first 0 A");
      call.a.send(audio(0xA, 4), call.ports.aRtp());
      await(() -> relay.counts().droppedStray() == 1);
      call.b.send(audio(0xB, 2), call.ports.bRtp());
      assertThat(behindNat.receive()).isEqualTo(audio(0xB, 2));
    }

    @Test
    void latchesRtcpOnItsOwn() {
      Call call = call(V4, V4);
      Phone behindNat = phone(V4);
      byte[] report = receiverReport(0xA, 0xB, 0, 0);
      behindNat.send(report, call.ports.aRtcp());
      call.bRtcp.receive();
      call.a.send(audio(0xA, 1), call.ports.aRtp());
      call.b.receive();
      call.bRtcp.send(report, call.ports.bRtcp());
      assertThat(behindNat.receive()).isEqualTo(report);
      EndCounts a = close(CALL).streams().getFirst().a();
      assertThat(a.latched()).contains(call.a.local());
      assertThat(a.latchedRtcp()).contains(behindNat.local());
    }

    @Test
    void takesNothingFromAnEndThatHasNotSpokenAndSendsNothingToIt() {
      Phone a = phone(V4);
      Phone b = phone(V4);
      EndPlan unknown = EndPlan.unknown(MediaKind.AUDIO);
      StreamPorts ports =
          opened(open(CALL, List.of(anyPorts(0)), plan(end(a.local()), unknown))).getFirst();
      b.send(audio(0xB, 1), ports.bRtp());
      a.send(audio(0xA, 1), ports.aRtp());
      await(() -> relay.counts().droppedStray() == 1 && relay.counts().droppedUnsent() == 1);
      follow(plan(end(a.local()), at(unknown, b.local())));
      b.send(audio(0xB, 2), ports.bRtp());
      assertThat(a.receive()).isEqualTo(audio(0xB, 2));
      assertThat(close(CALL).streams().getFirst().a().droppedUnsent()).isEqualTo(1);
    }

    @Test
    void sendsNothingToAnAddressOfTheOtherFamily() {
      Phone a = phone(V4);
      Phone b = phone(V6);
      StreamPorts ports =
          opened(open(CALL, List.of(anyPorts(0)), plan(end(a.local()), end(b.local())))).getFirst();
      a.send(audio(0xA, 1), ports.aRtp());
      await(() -> relay.counts().droppedUnsent() == 1);
      assertThat(relay.counts().sentPackets()).isZero();
    }
  }

  // ---- direction

  @Nested
  class Direction {

    @Test
    void dropsRtpFromAnEndThatMayNotSendAndKeepsRtcp() {
      Call call = call(V4, V4);
      follow(plan(direction(call.endA(), false, true), call.endB()));
      call.a.send(audio(0xA, 1), call.ports.aRtp());
      call.aRtcp.send(receiverReport(0xA, 0xB, 0, 0), call.ports.aRtcp());
      call.bRtcp.receive();
      call.b.send(audio(0xB, 1), call.ports.bRtp());
      assertThat(call.a.receive()).isEqualTo(audio(0xB, 1));
      await(() -> relay.counts().droppedDirection() == 1);
      follow(plan(call.endA(), call.endB()));
      call.a.send(audio(0xA, 2), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(audio(0xA, 2));
      EndCounts a = close(CALL).streams().getFirst().a();
      assertThat(a.droppedDirection()).isEqualTo(1);
      assertThat(a.packets()).isEqualTo(2);
    }

    @Test
    void sendsNoRtpToAnEndThatDoesNotWantIt() {
      Call call = call(V4, V4);
      follow(plan(direction(call.endA(), true, false), call.endB()));
      call.b.send(audio(0xB, 1), call.ports.bRtp());
      call.bRtcp.send(receiverReport(0xB, 0xA, 0, 0), call.ports.bRtcp());
      call.aRtcp.receive();
      call.a.send(audio(0xA, 1), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(audio(0xA, 1));
      await(() -> relay.counts().droppedDirection() == 1);
      EndCounts b = close(CALL).streams().getFirst().b();
      assertThat(b.droppedDirection()).isEqualTo(1);
      assertThat(b.sentPackets()).isEqualTo(1);
    }

    @Test
    void restsAStreamThatThePlanLeavesOut() {
      Call call = call(V4, V4);
      follow(new SessionPlan(List.of(), TIMEOUT));
      call.a.send(audio(0xA, 1), call.ports.aRtp());
      await(() -> relay.counts().droppedStray() == 1);
      advance(TIMEOUT.multipliedBy(2));
      follow(plan(call.endA(), call.endB()));
      call.a.send(audio(0xA, 2), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(audio(0xA, 2));
      assertThat(event()).isEqualTo("first 0 A");
      assertThat(events).isEmpty();
    }
  }

  // ---- numbers

  @Test
  void countsLossAndJitterAsAReceiverWould() {
    Call call = call(V4, V4);
    int[] sequences = {65_530, 65_531, 65_533, 65_532, 65_535, 0, 0, 4, 5};
    long[] gapsMs = {0, 20, 25, 35, 10, 40, 20, 0, 61};
    double jitter = 0;
    long lastTransit = 0;
    for (int i = 0; i < sequences.length; i++) {
      advance(Duration.ofMillis(gapsMs[i]));
      int timestamp = 160 * sequences[i] + (sequences[i] < 100 ? 160 * 65_536 : 0);
      byte[] packet = rtp(0, 0xA, sequences[i], timestamp, 20);
      call.a.send(packet, call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(packet);
      // RFC 3550 6.4.1, in floating point
      long transit = clockNs.get() / 125_000 - timestamp;
      if (i > 0) {
        jitter += (Math.abs(transit - lastTransit) - jitter) / 16;
      }
      lastTransit = transit;
    }
    EndCounts a = close(CALL).streams().getFirst().a();
    // expected 65,530 to 65,541: 12; came 9
    assertThat(a.lost()).isEqualTo(3);
    assertThat((double) a.jitterTicks()).isBetween(jitter - 1.5, jitter + 1.5);
    assertThat(a.jitterTicks()).isGreaterThan(10);
  }

  @Test
  void countsWhatTheKernelDropped() throws Exception {
    var inCallback = new CountDownLatch(1);
    var goOn = new CountDownLatch(1);
    var stuck =
        new Quiet() {
          @Override
          public void firstPacket(CallKey session, int streamIndex, End end) {
            inCallback.countDown();
            awaitUninterruptibly(goOn);
          }
        };
    RelaySettings small = settings().withWorkers(1).withReceiveBufferBytes(4_096);
    relay = start(small, stuck);
    Call call = call(V4, V4);
    call.a.send(audio(0xA, 0), call.ports.aRtp());
    assertThat(inCallback.await(10, TimeUnit.SECONDS)).isTrue();
    int flood = 500;
    for (int i = 1; i <= flood; i++) {
      call.a.send(audio(0xA, i), call.ports.aRtp());
    }
    goOn.countDown();
    // each packet the other way takes a turn of the worker, which reads 16 of what is queued
    for (int i = 0; i < 10; i++) {
      call.b.send(audio(0xB, i), call.ports.bRtp());
      call.a.receive();
    }
    EndCounts a = close(CALL).streams().getFirst().a();
    assertThat(a.packets()).isLessThan(flood);
    assertThat(a.droppedByKernel())
        .isEqualTo(adapter().startsWith("netty") ? 0 : flood + 1 - a.packets());
  }

  // ---- silence

  @Nested
  class Silence {

    @Test
    void tellsOfTheFirstPacketOfEachEndOnce() {
      Call call = call(V4, V4);
      for (int i = 0; i < 3; i++) {
        call.a.send(audio(0xA, i), call.ports.aRtp());
        call.b.receive();
      }
      assertThat(event()).isEqualTo("first 0 A");
      call.b.send(audio(0xB, 1), call.ports.bRtp());
      call.a.receive();
      assertThat(event()).isEqualTo("first 0 B");
      assertThat(events).isEmpty();
    }

    @Test
    void timesOutWhenNothingComesFromAnyEnd() {
      call(V4, V4);
      advance(TIMEOUT.minusSeconds(1));
      tick();
      assertThat(events).isEmpty();
      advance(Duration.ofSeconds(1));
      assertThat(eventsOf(3)).containsExactly("silence 0 A", "silence 0 B", "timeout");
      advance(TIMEOUT);
      tick();
      assertThat(events).isEmpty();
    }

    @Test
    void tellsOfOneSilentEndWhileTheOtherSpeaks() {
      Call call = call(V4, V4);
      advance(TIMEOUT.minusSeconds(1));
      call.b.send(audio(0xB, 1), call.ports.bRtp());
      call.a.receive();
      assertThat(event()).isEqualTo("first 0 B");
      advance(Duration.ofSeconds(1));
      assertThat(event()).isEqualTo("silence 0 A");
      tick();
      assertThat(events).isEmpty();
      // when it speaks again and falls silent again, that is told again
      call.a.send(audio(0xA, 1), call.ports.aRtp());
      call.b.receive();
      assertThat(event()).isEqualTo("first 0 A");
      tick();
      advance(TIMEOUT);
      assertThat(eventsOf(3)).containsExactly("silence 0 A", "silence 0 B", "timeout");
    }

    @Test
    void takesRtcpAsASignOfLife() {
      Call call = call(V4, V4);
      advance(TIMEOUT.minusSeconds(1));
      call.aRtcp.send(receiverReport(0xA, 0xB, 0, 0), call.ports.aRtcp());
      call.bRtcp.receive();
      advance(Duration.ofSeconds(1));
      assertThat(event()).isEqualTo("silence 0 B");
      tick();
      assertThat(events).isEmpty();
    }

    @Test
    void takesNoStrangerAsASignOfLife() {
      Call call = call(V4, V4);
      Phone stranger = phone(V4);
      call.a.send(audio(0xA, 1), call.ports.aRtp());
      call.b.receive();
      assertThat(event()).isEqualTo("first 0 A");
      advance(TIMEOUT.minusSeconds(1));
      stranger.send(audio(0xBAD, 1), call.ports.aRtp());
      await(() -> relay.counts().droppedStray() == 1);
      advance(Duration.ofSeconds(1));
      assertThat(eventsOf(3)).containsExactly("silence 0 A", "silence 0 B", "timeout");
    }

    @Test
    void expectsNothingFromEndsOnHold() {
      Call call = call(V4, V4);
      follow(plan(direction(call.endA(), false, false), call.endB()));
      tick();
      advance(TIMEOUT.multipliedBy(3));
      tick();
      assertThat(events).isEmpty();
      // and gives them the whole time again after it
      follow(plan(call.endA(), call.endB()));
      tick();
      advance(TIMEOUT.minusSeconds(1));
      tick();
      assertThat(events).isEmpty();
      advance(Duration.ofSeconds(1));
      assertThat(eventsOf(3)).containsExactly("silence 0 A", "silence 0 B", "timeout");
    }

    @Test
    void waitsForEverWithoutATimeout() {
      Call call = call(V4, V4);
      SessionPlan plan = plan(call.endA(), call.endB());
      follow(new SessionPlan(plan.streams(), Duration.ZERO));
      tick();
      advance(TIMEOUT.multipliedBy(100));
      tick();
      assertThat(events).isEmpty();
    }

    /** Lets the worker look at all its sessions once more, which takes 101 ms of its clock. */
    private void tick() {
      // of a session that times out at the next look, and is looked at last
      CallKey probe = key(99);
      Endpoint somewhere = Endpoint.of(V4, 9);
      var plan =
          new SessionPlan(plan(end(somewhere), end(somewhere)).streams(), Duration.ofMillis(1));
      opened(open(probe, List.of(anyPorts(0)), plan));
      advance(Duration.ofMillis(101));
      assertThat(poll(probeTimeouts)).isEqualTo(probe);
      close(probe);
    }
  }

  // ---- opening and closing

  @Nested
  class Opening {

    @Test
    void namesTheEndpointThatCannotBeBoundAndKeepsNone() {
      Phone a = phone(V4);
      Phone taken = phone(V4);
      StreamPorts free = freePorts();
      var ports = new StreamPorts(1, free.aRtp(), free.aRtcp(), free.bRtp(), taken.local());
      StreamPorts first = anyPorts(0);
      OpenResult result = open(CALL, List.of(first, ports), plan(end(a.local()), end(a.local())));
      assertThat(result)
          .isInstanceOfSatisfying(
              BindFailed.class,
              failed -> {
                assertThat(failed.endpoint()).isEqualTo(taken.local());
                assertThat(failed.failure()).isEqualTo(BindFailure.ADDRESS_IN_USE);
                assertThat(failed.detail()).contains("bind");
              });
      assertThat(relay.sessions()).isZero();
      assertThat(relay.counts(CALL)).isEmpty();
      assertThat(relay.counts().sockets()).isZero();
      assertThat(relay.counts().bindFailures()).isEqualTo(1);
      for (Endpoint each : List.of(free.aRtp(), free.aRtcp(), free.bRtp())) {
        Phone.at(each).close();
      }
      // the session may be tried again
      taken.close();
      assertThat(open(CALL, List.of(ports), plan(end(a.local()), end(a.local()))))
          .isEqualTo(new Opened(List.of(ports)));
    }

    @Test
    void saysWhenAnAddressIsNotOurs() {
      Endpoint foreign = Endpoint.of("192.0.2.1", 20_000);
      var ports = new StreamPorts(0, foreign, foreign, foreign, foreign);
      OpenResult result = open(CALL, List.of(ports), new SessionPlan(List.of(), Duration.ZERO));
      assertThat(result)
          .isInstanceOfSatisfying(
              BindFailed.class,
              failed -> assertThat(failed.failure()).isEqualTo(BindFailure.ADDRESS_NOT_AVAILABLE));
    }

    @Test
    void freesThePortsBeforeItAnswersAClose() {
      for (int round = 0; round < 20; round++) {
        Call call = call(V4, V6);
        close(CALL);
        for (Endpoint each :
            List.of(call.ports.aRtp(), call.ports.aRtcp(), call.ports.bRtp(), call.ports.bRtcp())) {
          Phone.at(each).close();
        }
      }
    }

    @Test
    void refusesASessionThatIsOpen() {
      call(V4, V4);
      assertThatThrownBy(
              () ->
                  relay.open(
                      CALL,
                      List.of(anyPorts(0)),
                      new SessionPlan(List.of(), Duration.ZERO),
                      result -> {}))
          .isInstanceOf(IllegalStateException.class);
      assertThat(relay.sessions()).isEqualTo(1);
    }

    @Test
    void refusesMoreSessionsThanTheLimit() {
      relay = start(settings().withWorkers(2).withMaxSessions(2), listener());
      var nothing = new SessionPlan(List.of(), Duration.ZERO);
      opened(open(key(1), List.of(anyPorts(0)), nothing));
      opened(open(key(2), List.of(anyPorts(0)), nothing));
      assertThat(open(key(3), List.of(anyPorts(0)), nothing))
          .isEqualTo(new Refused(Refusal.TOO_MANY_SESSIONS));
      assertThat(relay.counts().refusals()).isEqualTo(1);
      close(key(1));
      opened(open(key(3), List.of(anyPorts(0)), nothing));
    }

    @Test
    void addsStreamsToAnOpenSession() {
      Call call = call(V4, V4);
      Phone videoA = phone(V4);
      Phone videoB = phone(V4);
      EndPlan any = EndPlan.unknown(MediaKind.VIDEO);
      var streams = new ArrayList<>(plan(call.endA(), call.endB()).streams());
      streams.add(
          StreamPlan.rtp(1, MediaKind.VIDEO, at(any, videoA.local()), at(any, videoB.local())));
      var both = new SessionPlan(streams, TIMEOUT);
      // all or nothing: the first try meets a taken port
      var taken = new StreamPorts(1, anyPort(V4), anyPort(V4), anyPort(V4), videoA.local());
      OpenResult failed =
          ask(answer -> relay.rebind(CALL, List.of(call.ports, taken), both, answer));
      assertThat(failed).isInstanceOf(BindFailed.class);
      call.a.send(audio(0xA, 1), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(audio(0xA, 1));
      StreamPorts video = rebind(both, call.ports, anyPorts(1)).getLast();
      byte[] frame = rtp(97, 0xF, 7, 90_000, 1_200);
      videoB.send(frame, video.bRtp());
      assertThat(videoA.receive()).isEqualTo(frame);
      call.a.send(audio(0xA, 2), call.ports.aRtp());
      assertThat(call.b.receive()).isEqualTo(audio(0xA, 2));
      assertThat(relay.counts().sockets()).isEqualTo(8);
      assertThat(close(CALL).streams()).hasSize(2);
      assertThat(relay.counts().sockets()).isZero();
    }

    @Test
    void answersForWhatItDoesNotHave() {
      assertThat(close(CALL)).isEqualTo(new SessionCounts(List.of()));
      assertThat(relay.update(CALL, new SessionPlan(List.of(), Duration.ZERO))).isFalse();
      assertThat(relay.counts(CALL)).isEmpty();
      OpenResult rebound =
          ask(
              answer ->
                  relay.rebind(CALL, List.of(), new SessionPlan(List.of(), Duration.ZERO), answer));
      assertThat(rebound).isEqualTo(new Refused(Refusal.CLOSED));
    }

    @Test
    void answersEverythingExactlyOnceWhenItIsClosedMeanwhile() {
      var answers = new LinkedBlockingQueue<Object>();
      int asked = 100;
      for (int i = 0; i < asked; i++) {
        relay.open(
            key(i), List.of(anyPorts(0)), new SessionPlan(List.of(), Duration.ZERO), answers::add);
      }
      for (int i = 0; i < asked; i += 2) {
        relay.close(key(i), answers::add);
      }
      relay.close();
      relay.close();
      assertThat(answers).hasSize(asked + asked / 2);
      assertThat(relay.counts().sockets()).isZero();
      assertThat(open(key(1), List.of(anyPorts(0)), new SessionPlan(List.of(), Duration.ZERO)))
          .isEqualTo(new Refused(Refusal.CLOSED));
    }

    @Test
    void leavesNoSocketAfterFiveHundredSessions() throws Exception {
      relay = start(settings().withWorkers(2), listener());
      call(V4, V4);
      close(CALL);
      long before = sockets();
      int sessions = 500;
      for (int round = 0; round < 2; round++) {
        var answers = new ArrayBlockingQueue<OpenResult>(sessions);
        for (int i = 0; i < sessions; i++) {
          relay.open(
              key(i),
              List.of(anyPorts(0)),
              plan(end(Endpoint.of(V4, 9)), end(Endpoint.of(V6, 9))),
              answers::add);
        }
        for (int i = 0; i < sessions; i++) {
          opened(poll(answers));
        }
        assertThat(relay.counts().sockets()).isEqualTo(4 * sessions);
        assertThat(sockets()).isGreaterThanOrEqualTo(4L * sessions);
        var closed = new ArrayBlockingQueue<SessionCounts>(sessions);
        for (int i = 0; i < sessions; i++) {
          relay.close(key(i), closed::add);
        }
        for (int i = 0; i < sessions; i++) {
          assertThat(poll(closed).streams()).hasSize(1);
        }
      }
      assertThat(relay.counts().sockets()).isZero();
      assertThat(relay.sessions()).isZero();
      // fewer, when another test's last socket has been closed meanwhile
      assertThat(sockets()).isLessThanOrEqualTo(before);
    }

    @Test
    void namesItsAdapter() {
      assertThat(relay.adapter()).isEqualTo(RelayContract.this.adapter());
    }
  }

  @Test
  void survivesAListenerThatThrows() {
    var thrower =
        new Quiet() {
          @Override
          public void firstPacket(CallKey session, int streamIndex, End end) {
            throw new IllegalStateException("a test's defect");
          }
        };
    Relay good = relay;
    relay = start(settings().withWorkers(1), thrower);
    Call call = call(V4, V4);
    call.a.send(audio(0xA, 1), call.ports.aRtp());
    assertThat(call.b.receive()).isEqualTo(audio(0xA, 1));
    assertThat(relay.counts().defects()).isEqualTo(1);
    relay = good;
  }

  // ---- changes of one stream

  /** What happens to one stream is not seen by the other. */
  @Nested
  class Rebinding {

    private final Phone videoA = phone(V4);
    private final Phone videoB = phone(V4);

    private StreamPlan video(Phone a, Phone b) {
      EndPlan any = EndPlan.unknown(MediaKind.VIDEO);
      return StreamPlan.rtp(1, MediaKind.VIDEO, at(any, a.local()), at(any, b.local()));
    }

    private SessionPlan with(Call call, StreamPlan... more) {
      var streams = new ArrayList<>(plan(call.endA(), call.endB()).streams());
      streams.addAll(List.of(more));
      return new SessionPlan(streams, TIMEOUT);
    }

    /** A latched call: A behind a NAT, so that a latch that was lost would be seen. */
    private Phone behindNat(Call call) {
      Phone nat = phone(V4);
      nat.send(audio(0xA, 1), call.ports.aRtp());
      call.b.receive();
      call.b.send(audio(0xB, 1), call.ports.bRtp());
      nat.receive();
      return nat;
    }

    /** Packets in both directions while {@code change} is made, none of which may be missing. */
    private void talkWhile(Call call, Phone nat, Runnable change) {
      int first = 2;
      int count = 60;
      for (int i = first; i < first + count; i++) {
        nat.send(audio(0xA, i), call.ports.aRtp());
        call.b.send(audio(0xB, i), call.ports.bRtp());
        if (i == first + count / 2) {
          change.run();
        }
      }
      for (int i = first; i < first + count; i++) {
        assertThat(call.b.receive()).isEqualTo(audio(0xA, i));
        assertThat(nat.receive()).isEqualTo(audio(0xB, i));
      }
      SessionCounts.Stream audio = relay.counts(CALL).orElseThrow().streams().getFirst();
      for (EndCounts end : List.of(audio.a(), audio.b())) {
        assertThat(end.packets()).isEqualTo(first - 1 + count);
        assertThat(end.sentPackets()).isEqualTo(first - 1 + count);
        assertThat(end.lost()).isZero();
        assertThat(end.droppedStray()).isZero();
      }
      assertThat(audio.a().latched()).contains(nat.local());
    }

    @Test
    void addsAStream() {
      Call call = call(V4, V4);
      Phone nat = behindNat(call);
      talkWhile(
          call, nat, () -> rebind(with(call, video(videoA, videoB)), call.ports, anyPorts(1)));
      assertThat(relay.counts().sockets()).isEqualTo(8);
    }

    @Test
    void dropsAStreamAndFreesItsPortsBeforeItAnswers() {
      Call call = call(V4, V4);
      StreamPorts video =
          rebind(with(call, video(videoA, videoB)), call.ports, anyPorts(1)).getLast();
      Phone nat = behindNat(call);
      talkWhile(
          call,
          nat,
          () -> {
            assertThat(rebind(with(call), call.ports)).containsExactly(call.ports);
            for (Endpoint each :
                List.of(video.aRtp(), video.aRtcp(), video.bRtp(), video.bRtcp())) {
              Phone.at(each).close();
            }
          });
      assertThat(relay.counts().sockets()).isEqualTo(4);
      assertThat(close(CALL).streams()).hasSize(1);
    }

    @Test
    void dropsAStreamThatIsNotTheLast() {
      Call call = call(V4, V4);
      StreamPlan moving = video(videoA, videoB);
      StreamPorts video = rebind(with(call, moving), call.ports, anyPorts(1)).getLast();
      byte[] frame = rtp(97, 0xF, 7, 90_000, 1_200);
      videoA.send(frame, video.aRtp());
      videoB.receive();
      rebind(new SessionPlan(List.of(moving), TIMEOUT), video);
      videoA.send(frame, video.aRtp());
      assertThat(videoB.receive()).isEqualTo(frame);
      List<SessionCounts.Stream> last = close(CALL).streams();
      assertThat(last).hasSize(1);
      assertThat(last.getFirst().a().packets()).isEqualTo(2);
    }

    @Test
    void movesAStreamToOtherPorts() {
      Call call = call(V4, V4);
      SessionPlan both = with(call, video(videoA, videoB));
      StreamPorts video = rebind(both, call.ports, anyPorts(1)).getLast();
      byte[] frame = rtp(97, 0xF, 7, 90_000, 1_200);
      videoA.send(frame, video.aRtp());
      videoB.receive();
      Phone nat = behindNat(call);
      talkWhile(
          call,
          nat,
          () -> {
            StreamPorts moved = rebind(both, call.ports, anyPorts(1)).getLast();
            assertThat(moved.aRtp()).isNotEqualTo(video.aRtp());
            videoA.send(frame, moved.aRtp());
            assertThat(videoB.receive()).isEqualTo(frame);
          });
      assertThat(relay.counts().sockets()).isEqualTo(8);
      // on other ports at both ends it is another stream, counted from the beginning
      assertThat(close(CALL).streams().getLast().a().packets()).isEqualTo(1);
    }

    @Test
    void movesOneEndAndKeepsTheOther() {
      Call call = call(V4, V4);
      Phone nat = behindNat(call);
      Phone b6 = phone(V6);
      var moved =
          new StreamPorts(0, call.ports.aRtp(), call.ports.aRtcp(), anyPort(V6), anyPort(V6));
      StreamPorts ports = rebind(plan(call.endA(), epoch(end(b6.local()), 1)), moved).getFirst();
      assertThat(ports.aRtp()).isEqualTo(call.ports.aRtp());
      assertThat(ports.bRtp().ip().isV6()).isTrue();
      nat.send(audio(0xA, 2), ports.aRtp());
      assertThat(b6.receive()).isEqualTo(audio(0xA, 2));
      b6.send(audio(0xB, 2), ports.bRtp());
      assertThat(nat.receive()).isEqualTo(audio(0xB, 2));
      assertThat(relay.counts().sockets()).isEqualTo(4);
      SessionCounts.Stream last = close(CALL).streams().getFirst();
      assertThat(last.a().packets()).isEqualTo(2);
      assertThat(last.b().packets()).isEqualTo(2);
      assertThat(last.b().latched()).contains(b6.local());
    }

    @Test
    void leavesAllAsItWasWhenAPortCannotBeHad() {
      Call call = call(V4, V4);
      SessionPlan both = with(call, video(videoA, videoB));
      StreamPorts video = rebind(both, call.ports, anyPorts(1)).getLast();
      Phone nat = behindNat(call);
      Phone taken = phone(V4);
      var wanted = new StreamPorts(1, anyPort(V4), anyPort(V4), anyPort(V4), taken.local());
      talkWhile(
          call,
          nat,
          () -> {
            OpenResult failed =
                ask(answer -> relay.rebind(CALL, List.of(call.ports, wanted), with(call), answer));
            assertThat(failed).isInstanceOf(BindFailed.class);
          });
      byte[] frame = rtp(97, 0xF, 7, 90_000, 1_200);
      videoB.send(frame, video.bRtp());
      assertThat(videoA.receive()).isEqualTo(frame);
      assertThat(relay.counts().sockets()).isEqualTo(8);
      assertThat(relay.counts().bindFailures()).isEqualTo(1);
    }
  }

  // ---- tools

  private List<StreamPorts> rebind(SessionPlan plan, StreamPorts... ports) {
    return opened(ask(answer -> relay.rebind(CALL, List.of(ports), plan, answer)));
  }

  private record Call(StreamPorts ports, Phone a, Phone aRtcp, Phone b, Phone bRtcp) {

    EndPlan endA() {
      return rtcpAt(end(a.local()), aRtcp.local());
    }

    EndPlan endB() {
      return rtcpAt(end(b.local()), bRtcp.local());
    }
  }

  /**
   * Lets time pass between two turns of the worker: within a turn it stands still, so this comes
   * back in a turn that knows the new time.
   */
  private void advance(Duration time) {
    endTurn();
    long nowNs = clockNs.addAndGet(time.toNanos());
    await(() -> clockReadNs == nowNs);
  }

  private long readClock() {
    long nowNs = clockNs.get();
    clockReadNs = nowNs;
    return nowNs;
  }

  private Call call(String ipA, String ipB) {
    Phone a = phone(ipA);
    Phone aRtcp = phone(ipA);
    Phone b = phone(ipB);
    Phone bRtcp = phone(ipB);
    var wanted = new StreamPorts(0, anyPort(ipA), anyPort(ipA), anyPort(ipB), anyPort(ipB));
    var plan = plan(rtcpAt(end(a.local()), aRtcp.local()), rtcpAt(end(b.local()), bRtcp.local()));
    StreamPorts ports = opened(open(CALL, List.of(wanted), plan)).getFirst();
    return new Call(ports, a, aRtcp, b, bRtcp);
  }

  private Relay start(RelaySettings settings, RelayListener listener) {
    Relay started = Relays.start(settings, listener, this::readClock);
    opened.add(started);
    return started;
  }

  private Phone phone(String ip) {
    Phone phone = Phone.on(ip);
    opened.add(phone);
    return phone;
  }

  private OpenResult open(CallKey session, List<StreamPorts> ports, SessionPlan plan) {
    return ask(answer -> relay.open(session, ports, plan, answer));
  }

  /** Updates the session, and waits until the worker has done so. */
  private void follow(SessionPlan plan) {
    assertThat(relay.update(CALL, plan)).isTrue();
    endTurn();
  }

  /** Waits until the worker has done all that was asked, and comes to its sockets anew. */
  private void endTurn() {
    CallKey another = key(98);
    opened(open(another, List.of(), new SessionPlan(List.of(), Duration.ZERO)));
    close(another);
  }

  private SessionCounts close(CallKey session) {
    return ask(answer -> relay.close(session, answer));
  }

  private static <T> T ask(Consumer<Consumer<T>> question) {
    var answers = new ArrayBlockingQueue<T>(2);
    question.accept(answers::add);
    return poll(answers);
  }

  private static <T> T poll(BlockingQueue<T> queue) {
    try {
      T head = queue.poll(10, TimeUnit.SECONDS);
      if (head == null) {
        throw new AssertionError("No answer came");
      }
      return head;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private String event() {
    return poll(events);
  }

  private List<String> eventsOf(int count) {
    var some = new ArrayList<String>();
    for (int i = 0; i < count; i++) {
      some.add(event());
    }
    return some;
  }

  private static List<StreamPorts> opened(OpenResult result) {
    assertThat(result).isInstanceOf(Opened.class);
    return ((Opened) result).ports();
  }

  /** Looks after each turn of the worker until the condition has come. */
  private void await(BooleanSupplier condition) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("Expected a condition that never came");
      }
      endTurn();
    }
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private RelayListener listener() {
    return new RelayListener() {
      @Override
      public void firstPacket(CallKey session, int streamIndex, End end) {
        events.add("first " + streamIndex + " " + end);
      }

      @Override
      public void silence(CallKey session, int streamIndex, End end) {
        if (session.equals(CALL)) {
          events.add("silence " + streamIndex + " " + end);
        }
      }

      @Override
      public void mediaTimeout(CallKey session) {
        if (session.equals(CALL)) {
          events.add("timeout");
        } else {
          probeTimeouts.add(session);
        }
      }
    };
  }

  private abstract static class Quiet implements RelayListener {
    @Override
    public void firstPacket(CallKey session, int streamIndex, End end) {}

    @Override
    public void silence(CallKey session, int streamIndex, End end) {}

    @Override
    public void mediaTimeout(CallKey session) {}
  }

  /** Sockets that this process has open. */
  private static long sockets() throws IOException {
    long sockets = 0;
    try (var files = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path file : files) {
        try {
          sockets += Files.readSymbolicLink(file).toString().startsWith("socket:") ? 1 : 0;
        } catch (NoSuchFileException e) {
          // closed since the folder was read: no socket of ours any more
        }
      }
    }
    return sockets;
  }

  private static CallKey key(int number) {
    return CallKey.ofBytes(ByteBuffer.allocate(16).putInt(12, number).array());
  }

  private static Endpoint anyPort(String ip) {
    return Endpoint.of(ip, 0);
  }

  private static StreamPorts anyPorts(int index) {
    return new StreamPorts(index, anyPort(V4), anyPort(V4), anyPort(V4), anyPort(V4));
  }

  private static Endpoint freePort(String ip) {
    try (Phone phone = Phone.on(ip)) {
      return phone.local();
    }
  }

  private static StreamPorts freePorts() {
    try (Phone a = Phone.on(V4);
        Phone b = Phone.on(V4);
        Phone c = Phone.on(V4);
        Phone d = Phone.on(V4)) {
      return new StreamPorts(0, a.local(), b.local(), c.local(), d.local());
    }
  }

  private static SessionPlan plan(EndPlan a, EndPlan b) {
    return new SessionPlan(List.of(StreamPlan.rtp(0, MediaKind.AUDIO, a, b)), TIMEOUT);
  }

  private static EndPlan end(Endpoint remote) {
    return new EndPlan(
        Optional.of(remote),
        Optional.empty(),
        false,
        true,
        true,
        PayloadTypes.of(MediaKind.AUDIO, List.of(0, 8, 101)),
        0);
  }

  private static EndPlan at(EndPlan end, Endpoint remote) {
    return new EndPlan(
        Optional.of(remote),
        Optional.empty(),
        end.rtcpMux(),
        end.maySend(),
        end.wantsReceive(),
        end.payloadTypes(),
        end.latchEpoch());
  }

  private static EndPlan rtcpAt(EndPlan end, Endpoint remoteRtcp) {
    return new EndPlan(
        end.remoteRtp(),
        Optional.of(remoteRtcp),
        end.rtcpMux(),
        end.maySend(),
        end.wantsReceive(),
        end.payloadTypes(),
        end.latchEpoch());
  }

  private static EndPlan mux(EndPlan end) {
    return new EndPlan(
        end.remoteRtp(),
        Optional.empty(),
        true,
        end.maySend(),
        end.wantsReceive(),
        end.payloadTypes(),
        end.latchEpoch());
  }

  private static EndPlan direction(EndPlan end, boolean maySend, boolean wantsReceive) {
    return new EndPlan(
        end.remoteRtp(),
        end.remoteRtcp(),
        end.rtcpMux(),
        maySend,
        wantsReceive,
        end.payloadTypes(),
        end.latchEpoch());
  }

  private static EndPlan epoch(EndPlan end, int epoch) {
    return new EndPlan(
        end.remoteRtp(),
        end.remoteRtcp(),
        end.rtcpMux(),
        end.maySend(),
        end.wantsReceive(),
        end.payloadTypes(),
        epoch);
  }
}
