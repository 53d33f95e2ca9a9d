package io.sippbx.media;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.media.relay.EndPlan;
import io.sippbx.media.relay.OpenResult;
import io.sippbx.media.relay.OpenResult.BindFailure;
import io.sippbx.media.relay.SessionCounts;
import io.sippbx.media.relay.SessionPlan;
import io.sippbx.media.relay.StreamPlan;
import io.sippbx.media.relay.StreamPorts;
import io.sippbx.media.rtp.MediaKind;
import io.sippbx.media.testkit.FakeRelay;
import io.sippbx.media.testkit.ManualLoop;
import io.sippbx.media.testkit.Specs;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RelaySessionPathTest {

  private static final CallKey CALL = Specs.call(1);
  private static final StreamPorts AUDIO = ports(0, 10_000);
  private static final StreamPorts VIDEO = ports(1, 10_004);
  private static final StreamPorts OTHER_VIDEO = ports(1, 10_008);

  private final ManualLoop loop = new ManualLoop();
  private final FakeRelay relay = FakeRelay.delayed();
  private final RelaySessionPath path = new RelaySessionPath(relay, loop);
  private final List<Object> answers = new ArrayList<>();

  private static StreamPorts ports(int index, int port) {
    return new StreamPorts(index, at(port), at(port + 1), at(port + 2), at(port + 3));
  }

  private static Endpoint at(int port) {
    return Endpoint.of("127.0.0.1", port);
  }

  private static SessionPlan plan(StreamPorts... streams) {
    return new SessionPlan(
        java.util.stream.Stream.of(streams)
            .map(
                s ->
                    new StreamPlan(
                        s.index(),
                        MediaKind.AUDIO,
                        EndPlan.unknown(MediaKind.AUDIO),
                        EndPlan.unknown(MediaKind.AUDIO)))
            .toList(),
        Duration.ZERO);
  }

  private Object settle() {
    do {
      loop.runAll();
    } while (relay.answerNext());
    assertThat(answers).hasSize(1);
    return answers.removeFirst();
  }

  private Object open(StreamPorts... streams) {
    path.open(CALL, List.of(streams), plan(streams), answers::add);
    return settle();
  }

  private Object rebind(StreamPorts... streams) {
    path.rebind(CALL, List.of(streams), plan(streams), answers::add);
    return settle();
  }

  private SessionCounts close() {
    path.close(CALL, answers::add);
    return (SessionCounts) settle();
  }

  @Test
  void addsStreamsBesideThoseThatRun() {
    open(AUDIO);
    relay.packet(CALL, loop.nowNs());
    assertThat(rebind(AUDIO, VIDEO)).isInstanceOf(OpenResult.Opened.class);
    assertThat(relay.ports(CALL)).containsExactly(AUDIO, VIDEO);
    // Not opened anew: the relay's own count goes on.
    assertThat(relay.counts(CALL).orElseThrow().streams().getFirst().a().packets()).isEqualTo(1);
    assertThat(relay.plan(CALL)).contains(plan(AUDIO, VIDEO));
  }

  @Test
  void freesThePortsOfStreamsThatGoAndCountsOn() {
    open(AUDIO, VIDEO);
    relay.packet(CALL, loop.nowNs());
    rebind(AUDIO);
    assertThat(relay.ports(CALL)).containsExactly(AUDIO);
    assertThat(relay.boundPorts()).isEqualTo(4);
    relay.packet(CALL, loop.nowNs());
    rebind(AUDIO, OTHER_VIDEO);
    rebind(AUDIO);
    assertThat(path.counts(CALL).orElseThrow().streams().getFirst().a().packets()).isEqualTo(2);
    SessionCounts last = close();
    assertThat(last.streams()).hasSize(1);
    assertThat(last.streams().getFirst().b().packets()).isEqualTo(2);
    assertThat(relay.boundPorts()).isZero();
  }

  @Test
  void countsAStreamOnOtherPortsAnew() {
    open(AUDIO, VIDEO);
    relay.packet(CALL, loop.nowNs());
    rebind(AUDIO, OTHER_VIDEO);
    var streams = path.counts(CALL).orElseThrow().streams();
    assertThat(streams.get(0).a().packets()).isEqualTo(1);
    assertThat(streams.get(1).a().packets()).isZero();
  }

  @Test
  void goesBackToTheOldPortsWhenTheNewOnesCannotBeHad() {
    open(AUDIO, VIDEO);
    relay.packet(CALL, loop.nowNs());
    relay.fail(at(10_008), BindFailure.ADDRESS_IN_USE);
    assertThat(rebind(AUDIO, OTHER_VIDEO)).isInstanceOf(OpenResult.BindFailed.class);
    assertThat(relay.ports(CALL)).containsExactly(AUDIO, VIDEO);
    assertThat(relay.plan(CALL)).contains(plan(AUDIO, VIDEO));
    assertThat(path.counts(CALL).orElseThrow().streams().get(1).a().packets()).isEqualTo(1);
  }

  @Test
  void saysSoWhenTheSessionIsLostOnTheWay() {
    open(AUDIO, VIDEO);
    relay.fail(at(10_000), BindFailure.ADDRESS_IN_USE);
    assertThat(rebind(AUDIO)).isEqualTo(new OpenResult.Refused(OpenResult.Refusal.CLOSED));
    assertThat(relay.boundPorts()).isZero();
    assertThat(path.update(CALL, plan(AUDIO))).isFalse();
    assertThat(path.counts(CALL)).isEmpty();
  }

  @Test
  void keepsNothingOfWhatCouldNotBeOpened() {
    relay.fail(at(10_000), BindFailure.NOT_PERMITTED);
    assertThat(open(AUDIO)).isInstanceOf(OpenResult.BindFailed.class);
    assertThat(rebind(AUDIO)).isInstanceOf(OpenResult.Refused.class);
  }
}
