package io.sippbx.media;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.media.relay.EndPlan;
import io.sippbx.media.relay.OpenResult;
import io.sippbx.media.relay.OpenResult.BindFailure;
import io.sippbx.media.relay.SessionPlan;
import io.sippbx.media.relay.StreamPlan;
import io.sippbx.media.relay.StreamPorts;
import io.sippbx.media.rtp.MediaKind;
import io.sippbx.media.testkit.FakeRelay;
import io.sippbx.media.testkit.Specs;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RelaySessionPathTest {

  private static final CallKey CALL = Specs.call(1);
  private static final StreamPorts AUDIO = ports(0, 10_000);
  private static final StreamPorts VIDEO = ports(1, 10_004);
  private static final StreamPorts OTHER_VIDEO = ports(1, 10_008);

  private final FakeRelay relay = FakeRelay.prompt();
  private final RelaySessionPath path = new RelaySessionPath(relay);
  private final List<Object> answers = new ArrayList<>();

  private static StreamPorts ports(int index, int port) {
    return new StreamPorts(index, at(port), at(port + 1), at(port + 2), at(port + 3));
  }

  private static Endpoint at(int port) {
    return Endpoint.of("127.0.0.1", port);
  }

  private static SessionPlan plan(StreamPorts... streams) {
    EndPlan end = EndPlan.unknown(MediaKind.AUDIO);
    return new SessionPlan(
        Stream.of(streams).map(s -> StreamPlan.rtp(s.index(), MediaKind.AUDIO, end, end)).toList(),
        Duration.ZERO);
  }

  private Object rebind(StreamPorts... streams) {
    path.rebind(CALL, List.of(streams), plan(streams), answers::add);
    return answers.removeFirst();
  }

  @Test
  void changesAnOpenSessionWithoutClosingIt() {
    path.open(CALL, List.of(AUDIO, VIDEO), plan(AUDIO, VIDEO), answers::add);
    answers.clear();
    relay.packet(CALL, 1);
    for (StreamPorts[] wanted :
        List.of(
            new StreamPorts[] {AUDIO},
            new StreamPorts[] {AUDIO, OTHER_VIDEO},
            new StreamPorts[] {AUDIO, VIDEO})) {
      assertThat(rebind(wanted)).isEqualTo(new OpenResult.Opened(List.of(wanted)));
      assertThat(relay.ports(CALL)).containsExactly(wanted);
      assertThat(relay.plan(CALL)).contains(plan(wanted));
      assertThat(relay.boundPorts()).isEqualTo(4 * wanted.length);
      // not opened anew: the relay's own count goes on
      assertThat(path.counts(CALL).orElseThrow().streams().getFirst().a().packets()).isEqualTo(1);
    }
    relay.fail(at(10_008), BindFailure.ADDRESS_IN_USE);
    assertThat(rebind(AUDIO, OTHER_VIDEO)).isInstanceOf(OpenResult.BindFailed.class);
    assertThat(relay.ports(CALL)).containsExactly(AUDIO, VIDEO);
    path.close(CALL, answers::add);
    assertThat(relay.boundPorts()).isZero();
  }

  @Test
  void saysSoWhenTheSessionIsNotOpen() {
    assertThat(rebind(AUDIO)).isEqualTo(new OpenResult.Refused(OpenResult.Refusal.CLOSED));
    assertThat(path.update(CALL, plan(AUDIO))).isFalse();
    assertThat(path.counts(CALL)).isEmpty();
  }
}
