package io.sippbx.media;

import static io.sippbx.media.testkit.TestControlNode.applyMessage;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.sippbx.media.MediaNodeSettings.Listen;
import io.sippbx.media.control.ControlSettings;
import io.sippbx.media.port.EphemeralRangeCheck;
import io.sippbx.media.port.LocalAddress;
import io.sippbx.media.port.PortLedger;
import io.sippbx.media.port.PortRange;
import io.sippbx.media.relay.End;
import io.sippbx.media.relay.RelayListener;
import io.sippbx.media.session.NodeState;
import io.sippbx.media.session.SessionSettings;
import io.sippbx.media.testkit.FakeRelay;
import io.sippbx.media.testkit.TestControlNode;
import io.sippbx.proto.media.v1.Claim;
import io.sippbx.proto.media.v1.ControlMessage;
import io.sippbx.proto.media.v1.DrainRequest;
import io.sippbx.proto.media.v1.ErrorCode;
import io.sippbx.proto.media.v1.GetRequest;
import io.sippbx.proto.media.v1.ListRequest;
import io.sippbx.proto.media.v1.ListResponse;
import io.sippbx.proto.media.v1.MediaControlGrpc;
import io.sippbx.proto.media.v1.NodeMessage;
import io.sippbx.proto.media.v1.NodeStatus;
import io.sippbx.proto.media.v1.RestoreDone;
import io.sippbx.proto.media.v1.Session;
import io.sippbx.proto.media.v1.SessionEventKind;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The service through a client spoken by hand, over both ways to it, on a relay without sockets.
 */
@Timeout(60)
class MediaNodeTest {

  private static final IpAddress LOOPBACK = IpAddress.of("127.0.0.1");
  private static final EphemeralRangeCheck ANY_MACHINE =
      new EphemeralRangeCheck(Path.of("none"), Path.of("none"));

  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("given", true), NioIoHandler.newFactory());
  private final FakeRelay relay = FakeRelay.prompt();
  private final AtomicReference<RelayListener> heard = new AtomicReference<>(RelayListener.none());
  private final List<MediaNode> nodes = new ArrayList<>();
  private final List<ManagedChannel> channels = new ArrayList<>();

  private Optional<EventLoop> given = Optional.empty();

  enum Way {
    IN_PROCESS,
    NETWORK,
    /** From within the process, on a loop that is there before the node and after it. */
    GIVEN_LOOP
  }

  private static CallKey key(int number) {
    byte[] octets = new byte[16];
    octets[0] = (byte) number;
    return CallKey.ofBytes(octets);
  }

  private static String call(int number) {
    return key(number).text();
  }

  private MediaNodeSettings settings(Way way) {
    if (way == Way.GIVEN_LOOP) {
      given = Optional.of(group.next());
    }
    return MediaNodeSettings.of(
            new NodeId("m1"),
            way == Way.NETWORK
                ? new Listen.Network(new Endpoint(LOOPBACK, 0), Optional.empty())
                : new Listen.InProcess("media-" + System.identityHashCode(this)),
            new PortRange(10_000, 10_019),
            List.of(LocalAddress.of(LOOPBACK)))
        .withSessions(SessionSettings.defaults().withRestoring(Duration.ZERO));
  }

  private MediaNode start(MediaNodeSettings settings) {
    MediaNode.RelayFactory relays =
        (relaySettings, listener) -> {
          heard.set(listener);
          return relay;
        };
    MediaNode node =
        given
            .map(loop -> MediaNode.startOn(loop, settings, ANY_MACHINE, relays))
            .orElseGet(() -> MediaNode.start(settings, ANY_MACHINE, relays));
    nodes.add(node);
    return node;
  }

  private ManagedChannel channel(MediaNode node) {
    ManagedChannel channel =
        node.address().isPresent()
            ? NettyChannelBuilder.forAddress(
                    new InetSocketAddress(
                        InetAddress.getLoopbackAddress(), node.address().get().port()))
                .usePlaintext()
                .flowControlWindow(65_535)
                .build()
            : InProcessChannelBuilder.forName("media-" + System.identityHashCode(this)).build();
    channels.add(channel);
    return channel;
  }

  private ManagedChannel channel(Way way) {
    return channel(start(settings(way)));
  }

  @AfterEach
  void stop() {
    channels.forEach(ManagedChannel::shutdownNow);
    nodes.forEach(MediaNode::close);
    assertThat(group.shutdownGracefully(0, 0, TimeUnit.SECONDS).awaitUninterruptibly(20_000))
        .isTrue();
  }

  private static NodeStatus awaitStatus(TestControlNode control) {
    return control.await(NodeMessage::hasStatus).getStatus();
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void saysItsStateAtHelloAndAgainAndAgain(Way way) {
    var control = TestControlNode.connect(channel(way), "control-1");
    NodeStatus first = awaitStatus(control);
    assertThat(first.getNodeId()).isEqualTo("m1");
    assertThat(first.getIncarnation()).isEqualTo(nodes.getFirst().incarnation().value());
    assertThat(first.getPairsV4().getTotal()).isEqualTo(10);
    assertThat(first.getSessionsLimit()).isEqualTo(10_000);
    assertThat(awaitStatus(control)).isEqualTo(first);
    assertThat(awaitStatus(control)).isEqualTo(first);
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void holdsASessionUntilItIsReleased(Way way) {
    ManagedChannel channel = channel(way);
    var control = TestControlNode.connect(channel, "control-1");
    Session held = control.apply(call(1), 1, true, 7).getSession();
    assertThat(held.getStreams(0).getA().getLocalRtp().getIp()).isEqualTo("127.0.0.1");
    assertThat(control.apply(call(1), 1, true, 8).getSession()).isEqualTo(held);
    assertThat(relay.boundPorts()).isEqualTo(4);
    var unary = MediaControlGrpc.newBlockingStub(channel);
    assertThat(unary.get(GetRequest.newBuilder().setCallKey(call(1)).build())).isEqualTo(held);
    assertThat(control.apply(call(1), 2, false, 9).getSession().getRevision()).isEqualTo(2);
    var stale = control.apply(call(1), 1, true, 10).getError();
    assertThat(stale.getCode()).isEqualTo(ErrorCode.ERROR_CODE_STALE_REVISION);
    assertThat(stale.getHeldRevision()).isEqualTo(2);
    assertThat(control.release(call(1), 2, 11).getSession().getStreamsCount()).isEqualTo(1);
    assertThat(control.release(call(1), 2, 12).getSession().getStreamsCount()).isEqualTo(1);
    assertThat(relay.boundPorts()).isZero();
    NodeStatus status =
        control
            .await(m -> m.hasStatus() && m.getStatus().getPairsV4().getResting() > 0)
            .getStatus();
    assertThat(status.getPairsV4().getInUse()).isZero();
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void answersWhatIsWrongWithASpecAndGoesOn(Way way) {
    var control = TestControlNode.connect(channel(way), "control-1");
    var error = control.apply("no key", 1, true, 1).getError();
    assertThat(error.getCode()).isEqualTo(ErrorCode.ERROR_CODE_INVALID_SPEC);
    assertThat(error.getDetail()).contains("call_key", "no key");
    assertThat(control.release("no key", 1, 2).getError().getCode())
        .isEqualTo(ErrorCode.ERROR_CODE_INVALID_SPEC);
    assertThat(control.release(call(1), -1, 3).getError().getCode())
        .isEqualTo(ErrorCode.ERROR_CODE_INVALID_SPEC);
    assertThat(control.apply(call(1), 1, true, 4).hasSession()).isTrue();
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void endsAStreamThatBreaksTheContract(Way way) {
    ManagedChannel channel = channel(way);
    var first = TestControlNode.open(channel, true);
    first.send(applyMessage(call(1), 1, true, 1));
    assertThat(first.awaitEnd().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(first.awaitEnd().getDescription()).contains("Hello", "APPLY");
    var twice = TestControlNode.connect(channel, "control-1");
    twice.hello("control-1");
    assertThat(twice.awaitEnd().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    var nameless = TestControlNode.connect(channel, "../\r\n");
    assertThat(nameless.awaitEnd().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(nameless.awaitEnd().getDescription()).contains("node_id").isASCII();
    var empty = TestControlNode.connect(channel, "control-1");
    empty.send(ControlMessage.getDefaultInstance());
    assertThat(empty.awaitEnd().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    var claims = TestControlNode.connect(channel, "control-1");
    claims.send(ControlMessage.newBuilder().setClaim(Claim.newBuilder().addCallKeys("x")).build());
    assertThat(claims.awaitEnd().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    var good = TestControlNode.connect(channel, "control-1");
    awaitStatus(good);
    good.close();
    assertThat(good.awaitEnd().isOk()).isTrue();
  }

  @Test
  void endsAStreamWhoseMessageIsTooLong() {
    ManagedChannel channel = channel(Way.NETWORK);
    var control = TestControlNode.connect(channel, "control-1");
    var other = TestControlNode.connect(channel, "control-2");
    awaitStatus(control);
    control.send(applyMessage("x".repeat(100_000), 1, true, 1));
    // By a reset of the stream: there is no telling the peer why.
    assertThat(control.awaitEnd().getCode()).isEqualTo(Status.Code.CANCELLED);
    assertThat(other.apply(call(1), 1, true, 1).hasSession()).isTrue();
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void endsAStreamThatIsNotReadAndServesTheOthers(Way way) {
    var control =
        new ControlSettings(
            Duration.ofMillis(250),
            Duration.ofSeconds(5),
            Duration.ofSeconds(60),
            64,
            1_000,
            20,
            64 * 1_024,
            1_024 * 1_024);
    MediaNode node = start(settings(way).withControl(control));
    var stuck = TestControlNode.open(channel(node), false);
    stuck.hello("control-1");
    var other = TestControlNode.connect(channel(node), "control-2");
    // Answers of some hundred bytes each, until neither its buffers nor ours take more.
    for (int i = 1; i <= 5_000; i++) {
      stuck.send(applyMessage(call(1), 1, true, i));
    }
    for (int i = 1; node.metrics().control().streamsTooSlow() == 0; i++) {
      assertThat(other.apply(call(2), 1, true, i).hasSession()).isTrue();
      assertThat(i).isLessThan(20_000);
    }
    stuck.read(100_000);
    assertThat(stuck.awaitEnd().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(other.apply(call(2), 2, true, 0).hasSession()).isTrue();
    assertThat(other.hasEnded()).isFalse();
  }

  @Test
  void endsAStreamThatSaysNothing() {
    var control =
        new ControlSettings(
            Duration.ofMillis(20),
            Duration.ofMillis(40),
            Duration.ofSeconds(60),
            2,
            10,
            20,
            64 * 1_024,
            1_024 * 1_024);
    MediaNode node = start(settings(Way.IN_PROCESS).withControl(control));
    var silent = TestControlNode.open(channel(node), true);
    assertThat(silent.awaitEnd().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
  }

  @Test
  void takesOnlySoManyStreams() {
    var control =
        new ControlSettings(
            Duration.ofMillis(250),
            Duration.ofSeconds(5),
            Duration.ofSeconds(60),
            2,
            10,
            20,
            64 * 1_024,
            1_024 * 1_024);
    MediaNode node = start(settings(Way.IN_PROCESS).withControl(control));
    awaitStatus(TestControlNode.connect(channel(node), "control-1"));
    awaitStatus(TestControlNode.connect(channel(node), "control-2"));
    var third = TestControlNode.open(channel(node), true);
    assertThat(third.awaitEnd().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void tellsTheClaimantOfEventsAndAllWhenItIsGone(Way way) {
    ManagedChannel channel = channel(way);
    var owner = TestControlNode.connect(channel, "control-1");
    var other = TestControlNode.connect(channel, "control-2");
    owner.apply(call(1), 3, true, 1);
    awaitStatus(other);
    RelayListener told = Objects.requireNonNull(heard.get());
    told.firstPacket(key(1), 0, End.A);
    var first = owner.await(NodeMessage::hasEvent).getEvent();
    assertThat(first.getKind()).isEqualTo(SessionEventKind.SESSION_EVENT_KIND_FIRST_PACKET);
    assertThat(first.getCallKey()).isEqualTo(call(1));
    assertThat(first.getRevision()).isEqualTo(3);
    assertThat(first.getFromA()).isTrue();
    owner.close();
    assertThat(owner.awaitEnd().isOk()).isTrue();
    told.mediaTimeout(key(1));
    // The first event that the other hears is the second one.
    var second = other.await(NodeMessage::hasEvent).getEvent();
    assertThat(second.getKind()).isEqualTo(SessionEventKind.SESSION_EVENT_KIND_MEDIA_TIMEOUT);
    assertThat(
            MediaControlGrpc.newBlockingStub(channel)
                .get(GetRequest.newBuilder().setCallKey(call(1)).build())
                .getMediaTimedOut())
        .isTrue();
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void listsInPagesAndGets(Way way) {
    ManagedChannel channel = channel(way);
    var control = TestControlNode.connect(channel, "control-1");
    for (int i = 1; i <= 5; i++) {
      control.apply(call(i), 1, true, i);
    }
    var unary = MediaControlGrpc.newBlockingStub(channel);
    var seen = new ArrayList<String>();
    String after = "";
    int pages = 0;
    do {
      ListResponse page =
          unary.list(ListRequest.newBuilder().setPageSize(2).setAfterCallKey(after).build());
      assertThat(page.getNode().getSessions()).isEqualTo(5);
      page.getSessionsList().forEach(session -> seen.add(session.getCallKey()));
      after = page.getNextAfterCallKey();
      pages++;
    } while (!after.isEmpty());
    assertThat(seen).containsExactly(call(1), call(2), call(3), call(4), call(5));
    assertThat(pages).isEqualTo(3);
    assertThatThrownBy(() -> unary.get(GetRequest.newBuilder().setCallKey(call(9)).build()))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND));
    assertThatThrownBy(() -> unary.get(GetRequest.newBuilder().setCallKey("x").build()))
        .hasMessageContaining("INVALID_ARGUMENT")
        .hasMessageContaining("call_key");
    assertThatThrownBy(() -> unary.list(ListRequest.newBuilder().setAfterCallKey("x").build()))
        .hasMessageContaining("INVALID_ARGUMENT");
  }

  @Test
  void boundsAPageByItsSizeToo() {
    var control =
        new ControlSettings(
            Duration.ofMillis(250),
            Duration.ofSeconds(5),
            Duration.ofSeconds(60),
            64,
            1_000,
            20,
            64 * 1_024,
            100);
    ManagedChannel channel = channel(start(settings(Way.IN_PROCESS).withControl(control)));
    var stream = TestControlNode.connect(channel, "control-1");
    stream.apply(call(1), 1, true, 1);
    stream.apply(call(2), 1, true, 2);
    ListResponse page =
        MediaControlGrpc.newBlockingStub(channel).list(ListRequest.getDefaultInstance());
    assertThat(page.getSessionsCount()).isEqualTo(1);
    assertThat(page.getNextAfterCallKey()).isEqualTo(call(1));
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void drainsAndTellsAtOnce(Way way) {
    ManagedChannel channel = channel(way);
    var control = TestControlNode.connect(channel, "control-1");
    control.apply(call(1), 1, true, 1);
    NodeStatus drained =
        MediaControlGrpc.newBlockingStub(channel)
            .drain(DrainRequest.newBuilder().setDrain(true).build());
    assertThat(drained.getState())
        .isEqualTo(io.sippbx.proto.media.v1.NodeState.NODE_STATE_DRAINING);
    assertThat(
            control
                .await(m -> m.hasStatus() && m.getStatus().getState() == drained.getState())
                .getStatus()
                .getSessions())
        .isEqualTo(1);
    assertThat(control.apply(call(2), 1, true, 2).getError().getCode())
        .isEqualTo(ErrorCode.ERROR_CODE_DRAINING);
    assertThat(control.apply(call(1), 2, true, 3).hasSession()).isTrue();
    assertThat(health(channel, "sippbx.media.v1.MediaControl"))
        .isEqualTo(ServingStatus.NOT_SERVING);
    assertThat(health(channel, "")).isEqualTo(ServingStatus.SERVING);
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void restoresUntilItIsToldThatNothingIsToComeBack(Way way) {
    MediaNode node =
        start(
            settings(way)
                .withSessions(SessionSettings.defaults().withRestoring(Duration.ofHours(1))));
    ManagedChannel channel = channel(node);
    var control = TestControlNode.connect(channel, "control-1");
    assertThat(control.apply(call(1), 1, true, 1).getError().getCode())
        .isEqualTo(ErrorCode.ERROR_CODE_RESTORING);
    assertThat(health(channel, "sippbx.media.v1.MediaControl"))
        .isEqualTo(ServingStatus.NOT_SERVING);
    var done = ControlMessage.newBuilder().setRestoreDone(RestoreDone.getDefaultInstance()).build();
    control.send(done);
    assertThat(control.apply(call(1), 1, true, 2).hasSession()).isTrue();
    // said again it changes nothing, and ends no stream
    control.send(done);
    assertThat(control.apply(call(2), 1, true, 3).hasSession()).isTrue();
    assertThat(health(channel, "sippbx.media.v1.MediaControl")).isEqualTo(ServingStatus.SERVING);
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void restoresUntilEachControlNodeHasBroughtBackItsCalls(Way way) {
    MediaNode node =
        start(
            settings(way)
                .withSessions(SessionSettings.defaults().withRestoring(Duration.ofHours(1))));
    ManagedChannel channel = channel(node);
    var done =
        ControlMessage.newBuilder()
            .setRestoreDone(
                RestoreDone.newBuilder().addControlNodes("control-1").addControlNodes("control-2"))
            .build();
    var first = TestControlNode.connect(channel, "control-1");
    first.send(done);
    // The first that is done says so again and again: that counts for nobody else.
    first.send(done);
    assertThat(first.apply(call(1), 1, true, 1).getError().getCode())
        .as("the other may bring back the calls whose ports these would be")
        .isEqualTo(ErrorCode.ERROR_CODE_RESTORING);
    var second = TestControlNode.connect(channel, "control-2");
    second.send(done);
    assertThat(second.apply(call(1), 1, true, 2).hasSession()).isTrue();
    assertThat(first.apply(call(2), 1, true, 3).hasSession()).isTrue();
  }

  @Test
  void tellsItsHealthByTheStandardService() {
    MediaNode node =
        start(
            settings(Way.NETWORK)
                .withSessions(SessionSettings.defaults().withRestoring(Duration.ofMillis(300))));
    ManagedChannel channel = channel(node);
    assertThat(health(channel, "")).isEqualTo(ServingStatus.SERVING);
    var control = TestControlNode.connect(channel, "control-1");
    control.await(
        m ->
            m.hasStatus()
                && m.getStatus().getState()
                    == io.sippbx.proto.media.v1.NodeState.NODE_STATE_RUNNING);
    assertThat(health(channel, "sippbx.media.v1.MediaControl")).isEqualTo(ServingStatus.SERVING);
  }

  private static ServingStatus health(ManagedChannel channel, String service) {
    return HealthGrpc.newBlockingStub(channel)
        .check(HealthCheckRequest.newBuilder().setService(service).build())
        .getStatus();
  }

  @Test
  void reflectsItsServices() throws InterruptedException {
    var answers = new LinkedBlockingQueue<ServerReflectionResponse>();
    var requests =
        ServerReflectionGrpc.newStub(channel(Way.NETWORK))
            .serverReflectionInfo(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ServerReflectionResponse response) {
                    answers.add(response);
                  }

                  @Override
                  public void onError(Throwable error) {}

                  @Override
                  public void onCompleted() {}
                });
    requests.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    var answer = Objects.requireNonNull(answers.poll(20, TimeUnit.SECONDS));
    assertThat(answer.getListServicesResponse().getServiceList())
        .extracting(service -> service.getName())
        .contains("sippbx.media.v1.MediaControl", "grpc.health.v1.Health");
    requests.onCompleted();
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void givesEverythingBackWhenItStops(Way way) {
    MediaNode node = start(settings(way));
    ManagedChannel channel = channel(node);
    var control = TestControlNode.connect(channel, "control-1");
    control.apply(call(1), 1, true, 1);
    control.apply(call(2), 1, true, 2);
    assertThat(node.stop(Duration.ZERO)).isTrue();
    assertThat(control.awaitEnd().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    MediaNodeMetrics metrics = node.metrics();
    assertThat(metrics.sessions()).isZero();
    assertThat(metrics.pairs()).isEqualTo(new PortLedger(10, 0, 4, 0));
    assertThat(metrics.portPoolUsage()).as("none is lent").isZero();
    assertThat(metrics.state()).isEqualTo(NodeState.DRAINING);
    assertThat(metrics.loopFaults()).isZero();
    assertThat(metrics.control().faults()).isZero();
    assertThat(relay.boundPorts()).isZero();
  }

  @Test
  void waitsForSessionsToEndWhenItIsToldSo() throws InterruptedException {
    MediaNode node = start(settings(Way.IN_PROCESS));
    var control = TestControlNode.connect(channel(node), "control-1");
    control.apply(call(1), 1, true, 1);
    var stopping = new Thread(() -> node.stop(Duration.ofSeconds(30)));
    stopping.start();
    control.await(
        m ->
            m.hasStatus()
                && m.getStatus().getState()
                    == io.sippbx.proto.media.v1.NodeState.NODE_STATE_DRAINING);
    assertThat(control.release(call(1), 1, 2).hasSession()).isTrue();
    assertThat(control.awaitEnd().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(stopping.join(Duration.ofSeconds(20))).isTrue();
    assertThat(node.metrics().sessionCounters().released()).isEqualTo(1);
  }

  @Test
  void leavesTheLoopThatItWasGivenToOthers() throws Exception {
    MediaNode node = start(settings(Way.GIVEN_LOOP));
    var control = TestControlNode.connect(channel(node), "control-1");
    assertThat(control.apply(call(1), 1, true, 1).hasSession()).isTrue();
    assertThat(node.stop(Duration.ZERO)).isTrue();
    assertThat(control.awaitEnd().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(relay.boundPorts()).isZero();
    assertThat(given.orElseThrow().submit(() -> "goes on").get(20, TimeUnit.SECONDS))
        .isEqualTo("goes on");
    // Its name is free for the next on the same loop.
    channels.forEach(ManagedChannel::shutdownNow);
    var again = TestControlNode.connect(channel(start(settings(Way.GIVEN_LOOP))), "control-1");
    assertThat(awaitStatus(again).getIncarnation())
        .isEqualTo(nodes.getLast().incarnation().value());
  }

  @Test
  void countsWhatItHolds() {
    MediaNode node = start(settings(Way.IN_PROCESS));
    var control = TestControlNode.connect(channel(node), "control-1");
    control.apply(call(1), 1, true, 1);
    control.await(m -> m.hasStatus() && m.getStatus().getSessions() == 1);
    // The numbers are those of the last report or newer.
    control.await(NodeMessage::hasStatus);
    MediaNodeMetrics metrics = node.metrics();
    assertThat(metrics.sessions()).isEqualTo(1);
    assertThat(metrics.pairsOfSessions()).isEqualTo(2);
    assertThat(metrics.v4()).isEqualTo(new PortLedger(10, 2, 0, 0));
    assertThat(metrics.v6().total()).isZero();
    assertThat(metrics.control().streams()).isEqualTo(1);
    assertThat(metrics.sessionCounters().opened()).isEqualTo(1);
  }

  @Test
  void refusesToStartOnPortsThatTheSystemGivesAway(@TempDir Path folder) throws IOException {
    var machine =
        new EphemeralRangeCheck(
            Files.writeString(folder.resolve("range"), "10010 60999"), folder.resolve("none"));
    MediaNodeSettings settings = settings(Way.IN_PROCESS);
    assertThatThrownBy(() -> MediaNode.start(settings, machine, (s, l) -> relay))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("10000-10019")
        .hasMessageContaining("10010-60999");
    MediaNode node =
        MediaNode.start(settings.withEphemeralOverlapMeant(true), machine, (s, l) -> relay);
    nodes.add(node);
    assertThat(node.stop(Duration.ZERO)).isTrue();
  }

  @Test
  void saysWhichAddressItCannotListenOn() {
    MediaNode node = start(settings(Way.NETWORK));
    Endpoint taken = node.address().orElseThrow();
    MediaNodeSettings settings =
        MediaNodeSettings.of(
            new NodeId("m2"),
            new Listen.Network(taken, Optional.empty()),
            new PortRange(10_000, 10_019),
            List.of(LocalAddress.of(LOOPBACK)));
    assertThatThrownBy(() -> MediaNode.start(settings, ANY_MACHINE, (s, l) -> FakeRelay.prompt()))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining(taken.toString());
  }
}
