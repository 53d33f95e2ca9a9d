package io.sippbx.media.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.media.relay.PacketLoop.BindAnswer;
import io.sippbx.media.relay.PacketLoop.SocketOptions;
import io.sippbx.media.rtp.MediaKind;
import io.sippbx.media.rtp.PayloadForm;
import io.sippbx.media.rtp.PayloadTypes;
import io.sippbx.shared.net.Endpoint;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class StreamSideTest {

  private final ManualLoop loop = new ManualLoop();
  private final StreamSide a = side(End.A);
  private final StreamSide b = side(End.B);

  /** The last one is kept beside the counts, and is of the plan that it was allowed by. */
  @Test
  void judgesPayloadTypesByTheLastPlan() {
    a.follow(plan(true, true, List.of(0, 96), Map.of(96, 16_000)), PayloadForm.RTP);
    assertThat(a.allows(96)).isTrue();
    assertThat(a.clockRateHz()).isEqualTo(16_000);
    assertThat(a.allows(8)).isFalse();
    assertThat(a.allows(96)).isTrue();
    assertThat(a.clockRateHz()).isEqualTo(16_000);
    a.follow(plan(true, true, List.of(8, 96), Map.of(96, 48_000)), PayloadForm.RTP);
    assertThat(a.allows(0)).isFalse();
    assertThat(a.allows(96)).isTrue();
    assertThat(a.clockRateHz()).isEqualTo(48_000);
    a.follow(plan(true, true, List.of(8), Map.of()), PayloadForm.RTP);
    assertThat(a.allows(96)).isFalse();
  }

  @Test
  void sendsOnWhatOneMaySendAndTheOtherWants() {
    for (boolean maySend : new boolean[] {false, true}) {
      for (boolean wants : new boolean[] {false, true}) {
        a.follow(plan(maySend, false, List.of(), Map.of()), PayloadForm.RTP);
        b.follow(plan(false, wants, List.of(), Map.of()), PayloadForm.RTP);
        a.judge(b, 1);
        b.judge(a, 1);
        assertThat(a.isSentOn).isEqualTo(maySend && wants);
        assertThat(b.isSentOn).isFalse();
      }
    }
  }

  private StreamSide side(End end) {
    var options = new SocketOptions(0, 0, 0);
    PacketSocket rtp =
        ((BindAnswer.Bound) loop.bind(Endpoint.of("127.0.0.1", 0), options)).socket();
    return new StreamSide(end, new EndSockets(rtp, rtp));
  }

  private static EndPlan plan(
      boolean maySend, boolean wants, List<Integer> types, Map<Integer, Integer> rates) {
    return new EndPlan(
        Optional.of(Endpoint.of("192.0.2.1", 4_000)),
        Optional.empty(),
        false,
        maySend,
        wants,
        PayloadTypes.of(MediaKind.AUDIO, types, rates),
        0);
  }
}
