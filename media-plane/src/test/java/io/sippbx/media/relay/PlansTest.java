package io.sippbx.media.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.media.rtp.MediaKind;
import io.sippbx.media.rtp.PayloadTypes;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("plans and settings")
class PlansTest {

  private static final Optional<Endpoint> RTP = Optional.of(Endpoint.of("192.0.2.1", 4_000));
  private static final Optional<Endpoint> RTCP = Optional.of(Endpoint.of("192.0.2.2", 9));

  @Test
  void sayWhereRtcpGoes() {
    assertThat(end(RTP, Optional.empty(), false).signalledRtcp())
        .contains(Endpoint.of("192.0.2.1", 4_001));
    assertThat(end(RTP, RTCP, false).signalledRtcp()).isEqualTo(RTCP);
    assertThat(end(RTP, RTCP, true).signalledRtcp()).isEqualTo(RTP);
    assertThat(end(Optional.empty(), Optional.empty(), false).signalledRtcp()).isEmpty();
    assertThat(end(RTP.map(e -> e.withPort(65_535)), Optional.empty(), false).signalledRtcp())
        .isEmpty();
    assertThat(end(RTP.map(e -> e.withPort(0)), Optional.empty(), false).signalledRtcp()).isEmpty();
  }

  private static EndPlan end(Optional<Endpoint> rtp, Optional<Endpoint> rtcp, boolean mux) {
    return new EndPlan(rtp, rtcp, mux, true, true, PayloadTypes.any(MediaKind.AUDIO), 0);
  }

  @Test
  void refuseWhatCannotBe() {
    EndPlan end = EndPlan.unknown(MediaKind.AUDIO);
    var stream = StreamPlan.rtp(1, MediaKind.AUDIO, end, end);
    assertThatThrownBy(() -> new SessionPlan(List.of(stream, stream), Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new SessionPlan(List.of(), Duration.ofMillis(-1)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> StreamPlan.rtp(-1, MediaKind.AUDIO, end, end))
        .isInstanceOf(IllegalArgumentException.class);
    Endpoint any = Endpoint.of("::1", 0);
    assertThatThrownBy(() -> new StreamPorts(-1, any, any, any, any))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void haveSettingsWithinTheirLimits() {
    RelaySettings settings = RelaySettings.defaults();
    assertThat(settings.workers()).isPositive();
    assertThat(settings.audioDscp()).isEqualTo(46);
    assertThatThrownBy(() -> settings.withWorkers(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Expected workers from 1 to 256, but got 0");
    assertThatThrownBy(() -> settings.withMaxSessions(0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> settings.withReceiveBufferBytes(-1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void knowTheOtherEnd() {
    assertThat(End.A.other()).isEqualTo(End.B);
    assertThat(End.B.other()).isEqualTo(End.A);
  }
}
