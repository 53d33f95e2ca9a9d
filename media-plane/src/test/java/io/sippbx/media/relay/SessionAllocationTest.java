package io.sippbx.media.relay;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.sippbx.media.relay.OpenResult.Opened;
import io.sippbx.media.rtp.MediaKind;
import io.sippbx.media.rtp.PayloadTypes;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What a session makes by being there: the collector copies it while the call is up. */
class SessionAllocationTest {

  private static final int SESSIONS = 500;

  /** The relay's own, and the sockets of a loop that has none. */
  private static final long ALLOWED_BYTES = 6_000;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final ManualLoop loop = new ManualLoop();
  private final List<OpenResult> answers = new ArrayList<>(3 * SESSIONS);
  private final WorkerRelay relay =
      new WorkerRelay(
          "manual",
          RelaySettings.defaults().withWorkers(1).withMaxSessions(3 * SESSIONS),
          RelayListener.none(),
          i -> loop);

  @Test
  void isLittleBeforeAPacketComes() {
    open(0);
    open(1);
    long before = threads.getCurrentThreadAllocatedBytes();
    open(2);
    long each = (threads.getCurrentThreadAllocatedBytes() - before) / SESSIONS;
    assertThat(answers).hasSize(3 * SESSIONS).hasOnlyElementsOfType(Opened.class);
    assertThat(each).isLessThan(ALLOWED_BYTES);
  }

  private void open(int round) {
    for (int i = 0; i < SESSIONS; i++) {
      var octets = ByteBuffer.allocate(16).putInt(round).putInt(i).array();
      Endpoint any = Endpoint.of("127.0.0.1", 0);
      Endpoint remote = Endpoint.of("192.0.2.1", 4_000);
      var plan =
          new SessionPlan(
              List.of(StreamPlan.rtp(0, MediaKind.AUDIO, end(remote), end(remote))),
              Duration.ofSeconds(60));
      relay.open(
          CallKey.ofBytes(octets),
          List.of(new StreamPorts(0, any, any, any, any)),
          plan,
          answers::add);
      loop.wake();
    }
  }

  private static EndPlan end(Endpoint remote) {
    return new EndPlan(
        Optional.of(remote),
        Optional.empty(),
        false,
        true,
        true,
        PayloadTypes.of(MediaKind.AUDIO, List.of(0, 8)),
        0);
  }
}
