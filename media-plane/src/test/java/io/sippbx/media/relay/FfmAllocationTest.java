package io.sippbx.media.relay;

import static io.sippbx.media.relay.Packets.audio;
import static io.sippbx.media.relay.Packets.dtls;
import static io.sippbx.media.relay.Packets.receiverReport;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import io.sippbx.media.relay.OpenResult.Opened;
import io.sippbx.media.relay.RelaySettings.LoopChoice;
import io.sippbx.media.relay.ffm.UringPacketLoop;
import io.sippbx.media.relay.start.Relays;
import io.sippbx.media.rtp.MediaKind;
import io.sippbx.media.rtp.PayloadForm;
import io.sippbx.media.rtp.PayloadTypes;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The worker's thread makes no object for a packet, with the simplest compiler as well. */
@DisplayName("allocation of the packet path on FFM")
@EnabledOnOs(
    value = OS.LINUX,
    architectures = {"amd64", "aarch64"})
class FfmAllocationTest {

  private static final int WARM_UP = 3_000;
  private static final int MEASURED = 10_000;

  /** Ticks, and classes that are loaded late; much less than a byte a packet. */
  private static final long ALLOWED_BYTES = 4_096;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @ParameterizedTest
  @CsvSource({
    "FFM, 127.0.0.1, RTP",
    "FFM, ::1, RTP",
    "FFM, 127.0.0.1, DTLS_SRTP",
    "FFM, 127.0.0.1, DATAGRAMS",
    "URING, 127.0.0.1, RTP",
    "URING, ::1, RTP",
    "URING, 127.0.0.1, DTLS_SRTP",
    "URING, 127.0.0.1, DATAGRAMS"
  })
  void isNothingForEachPacket(LoopChoice loop, String ip, PayloadForm form) throws Exception {
    assumeTrue(loop == LoopChoice.FFM || UringPacketLoop.isSupported());
    var settings = RelaySettings.defaults().withLoop(loop).withWorkers(1);
    try (Relay relay = Relays.start(settings, RelayListener.none(), System::nanoTime);
        Phone a = Phone.on(ip);
        Phone b = Phone.on(ip);
        Phone stranger = Phone.on(ip)) {
      Endpoint any = Endpoint.of(ip, 0);
      var answers = new ArrayBlockingQueue<OpenResult>(1);
      var plan =
          new SessionPlan(
              List.of(new StreamPlan(0, MediaKind.AUDIO, form, end(a.local()), end(b.local()))),
              Duration.ofSeconds(60));
      relay.open(
          CallKey.ofBytes(new byte[16]),
          List.of(new StreamPorts(0, any, any, any, any)),
          plan,
          answers::add);
      StreamPorts ports = ((Opened) answers.poll(10, TimeUnit.SECONDS)).ports().getFirst();
      relay(form, WARM_UP, a, b, stranger, ports);
      long worker = worker();
      long before = threads.getThreadAllocatedBytes(worker);
      relay(form, MEASURED, a, b, stranger, ports);
      long allocated = threads.getThreadAllocatedBytes(worker) - before;
      assertThat(allocated).isBetween(0L, ALLOWED_BYTES);
      RelayCounts counts = relay.counts();
      assertThat(counts.rtpPackets() + counts.rtcpPackets() + counts.otherPackets())
          .isEqualTo(3L * (WARM_UP + MEASURED));
      assertThat(counts.otherPackets() > 0).isEqualTo(form != PayloadForm.RTP);
      assertThat(counts.droppedStray()).isEqualTo(WARM_UP + MEASURED);
    }
  }

  private static void relay(
      PayloadForm form, int rounds, Phone a, Phone b, Phone stranger, StreamPorts ports) {
    byte[] fromA = audio(0xA, 1);
    byte[] fromB = audio(0xB, 1);
    byte[] report = form == PayloadForm.DTLS_SRTP ? dtls(1, 160) : receiverReport(0xA, 0xB, 1, 1);
    for (int i = 0; i < rounds; i++) {
      a.send(fromA, ports.aRtp());
      b.receive();
      stranger.send(fromA, ports.aRtp());
      b.send(fromB, ports.bRtp());
      a.receive();
      a.send(report, ports.aRtp());
      b.receive();
    }
  }

  private long worker() {
    long[] ids = threads.getAllThreadIds();
    for (var info : threads.getThreadInfo(ids)) {
      if (info != null && info.getThreadName().equals("relay-0")) {
        return info.getThreadId();
      }
    }
    throw new AssertionError("Expected a thread relay-0");
  }

  private static EndPlan end(Endpoint remote) {
    return new EndPlan(
        Optional.of(remote),
        Optional.empty(),
        true,
        true,
        true,
        PayloadTypes.of(MediaKind.AUDIO, List.of(0, 8)),
        0);
  }
}
