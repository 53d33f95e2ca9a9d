package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import io.sippbx.control.admin.AdminServices;
import io.sippbx.control.admin.ClusterCallCommands;
import io.sippbx.control.admin.KnownControlNodes;
import io.sippbx.control.admin.OtherNodes;
import io.sippbx.control.cluster.Beat;
import io.sippbx.control.cluster.InMemoryClusterStore;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.media.MediaDirectory;
import io.sippbx.control.mesh.Mesh.Delivery;
import io.sippbx.control.mesh.MeshCommand;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallIndex;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.InMemoryCallStore;
import io.sippbx.control.store.InMemoryRegistrationStore;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.proto.admin.v1.CallState;
import io.sippbx.proto.admin.v1.CallSummary;
import io.sippbx.proto.admin.v1.CallsGrpc;
import io.sippbx.proto.admin.v1.ControlNodeState;
import io.sippbx.proto.admin.v1.DrainControlNodeRequest;
import io.sippbx.proto.admin.v1.DrainMediaNodeRequest;
import io.sippbx.proto.admin.v1.GetCallRequest;
import io.sippbx.proto.admin.v1.GetLedgerRequest;
import io.sippbx.proto.admin.v1.HangUpCallRequest;
import io.sippbx.proto.admin.v1.Ledger;
import io.sippbx.proto.admin.v1.LedgerLine;
import io.sippbx.proto.admin.v1.ListCallsRequest;
import io.sippbx.proto.admin.v1.ListCallsResponse;
import io.sippbx.proto.admin.v1.ListControlNodesRequest;
import io.sippbx.proto.admin.v1.NodesGrpc;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("the admin API over calls that are stored")
class AdminOfCallsTest {

  private static final Member SELF = new Member(new NodeId("control-a"), new Incarnation(1));
  private static final Member OTHER = new Member(new NodeId("control-b"), new Incarnation(2));

  private final VirtualLoops clock = VirtualLoops.inOrder();
  private final Loops loops = clock.loops("node", 2);
  private final InMemoryCallStore<Call> store = new InMemoryCallStore<>(loops);
  private final Media media = new Media();
  private final List<CallKey> hungUp = new ArrayList<>();
  private final AtomicBoolean draining = new AtomicBoolean();
  private final InMemoryClusterStore cluster = new InMemoryClusterStore(loops.of(0));
  private final List<String> told = new ArrayList<>();
  private Delivery delivery = Delivery.DELIVERED;
  private final OtherNodes others =
      (member, command, answer) -> {
        told.add(member + " " + command);
        answer.accept(delivery);
      };
  private final Server server = server();
  private final ManagedChannel channel =
      InProcessChannelBuilder.forName("admin-of-calls").directExecutor().build();
  private final CallsGrpc.CallsStub calls = CallsGrpc.newStub(channel);
  private final NodesGrpc.NodesStub nodes = NodesGrpc.newStub(channel);
  private long commits;

  private Server server() {
    var builder = InProcessServerBuilder.forName("admin-of-calls").directExecutor();
    for (BindableService each :
        AdminServices.of(
            new AdminServices.Ports(
                loops.of(0),
                store,
                store,
                new InMemoryRegistrationStore(10, loops.of(0)),
                new ClusterCallCommands(SELF, hungUp::add, others),
                new KnownControlNodes(
                    SELF, Optional.of(cluster), draining::get, draining::set, others),
                media,
                Optional.empty()))) {
      builder.addService(each);
    }
    return builder.build();
  }

  @BeforeEach
  void start() throws IOException {
    server.start();
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    server.shutdownNow();
  }

  /** What a question was answered. */
  private static final class Said<T> implements StreamObserver<T> {
    @Nullable T value;
    Status status = Status.UNKNOWN;

    @Override
    public void onNext(T next) {
      value = next;
    }

    @Override
    public void onError(Throwable error) {
      status = Status.fromThrowable(error);
    }

    @Override
    public void onCompleted() {
      status = Status.OK;
    }
  }

  private <Q, A> Said<A> said(BiConsumer<Q, StreamObserver<A>> method, Q request) {
    var said = new Said<A>();
    method.accept(request, said);
    clock.runReady();
    return said;
  }

  private <Q, A> A ask(BiConsumer<Q, StreamObserver<A>> method, Q request) {
    Said<A> said = said(method, request);
    if (said.value == null) {
      throw new AssertionError("Expected an answer, but got " + said.status);
    }
    return said.value;
  }

  /** Media nodes of this test's making. */
  private static final class Media implements MediaDirectory {
    private final List<HeldSession> sessions = new ArrayList<>();
    private long bound;

    @Override
    public void nodes(Consumer<List<SeenNode>> answer) {
      answer.accept(
          List.of(
              new SeenNode(
                  Scene.MEDIA_NODE,
                  Optional.of(new Incarnation(7)),
                  State.RUNNING,
                  sessions.size(),
                  100,
                  1_000,
                  bound,
                  Duration.ZERO)));
    }

    @Override
    public void drain(NodeId node, boolean drain, Consumer<NodeAnswer> answer) {
      answer.accept(new NodeAnswer.Unknown());
    }

    @Override
    public void sessions(
        NodeId node, Optional<CallKey> after, int limit, Consumer<SessionsAnswer> answer) {
      // Two a page, whatever was asked for: a node may give fewer.
      List<HeldSession> rest =
          sessions.stream()
              .filter(each -> after.isEmpty() || each.call().compareTo(after.get()) > 0)
              .limit(2)
              .toList();
      answer.accept(
          new SessionsAnswer.Page(
              rest,
              bound,
              rest.size() < 2 ? Optional.empty() : Optional.of(rest.getLast().call())));
    }

    void hold(CallKey call) {
      sessions.add(new HeldSession(call, 2));
      sessions.sort((a, b) -> a.call().compareTo(b.call()));
      bound += 2;
    }
  }

  private static CallKey key(int number) {
    var octets = new byte[16];
    octets[0] = (byte) (number * 37);
    octets[15] = (byte) number;
    return CallKey.ofBytes(octets);
  }

  /** The same call under another key. */
  private static Call under(CallKey key, Call call) {
    RecordComponent[] components = Call.class.getRecordComponents();
    var types = new Class<?>[components.length];
    var values = new Object[components.length];
    try {
      for (int i = 0; i < components.length; i++) {
        types[i] = components[i].getType();
        values[i] = types[i] == CallKey.class ? key : components[i].getAccessor().invoke(call);
      }
      return Call.class.getDeclaredConstructor(types).newInstance(values);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("Expected to make a call like " + call.key(), e);
    }
  }

  private CallKey stored(int number, Call call, Optional<Member> owner) {
    CallKey key = key(number);
    store.commit(
        new CallCommit<>(
            key,
            Optional.empty(),
            new CommitId(++commits),
            Optional.of(under(key, call)),
            List.of(),
            new CallIndex(owner, List.of(Scene.MEDIA_NODE), new TreeMap<>()),
            CallCommit.LAST_RESORT,
            OptionalLong.empty()),
        answer -> {});
    clock.runReady();
    return key;
  }

  private static Call up() {
    return new Scene().up().call.orElseThrow();
  }

  @Test
  void listsAllCallsPageByPage() {
    Call call = up();
    var expected = new ArrayList<String>();
    for (int i = 0; i < 150; i++) {
      expected.add(stored(i, call, Optional.empty()).text());
    }
    var seen = new ArrayList<String>();
    String token = "";
    int pages = 0;
    do {
      ListCallsResponse page =
          ask(
              calls::listCalls,
              ListCallsRequest.newBuilder().setPageSize(40).setPageToken(token).build());
      page.getCallsList().stream().map(CallSummary::getCallKey).forEach(seen::add);
      assertThat(page.getCallsCount()).isLessThanOrEqualTo(40);
      token = page.getNextPageToken();
      pages++;
    } while (!token.isEmpty());
    assertThat(seen).containsExactlyInAnyOrderElementsOf(expected);
    assertThat(pages).isEqualTo(4);
  }

  @Test
  void saysWhereACallStands() {
    CallKey key = stored(1, up(), Optional.of(SELF));
    var shown = ask(calls::getCall, GetCallRequest.newBuilder().setCallKey(key.text()).build());
    assertThat(shown.getSummary().getState()).isEqualTo(CallState.CALL_STATE_UP);
    assertThat(shown.getSummary().getMediaNode()).isEqualTo(Scene.MEDIA_NODE.text());
    assertThat(shown.getOwner()).isEqualTo("control-a");
    assertThat(shown.getVersion()).isEqualTo(1);
    assertThat(shown.getCaller().getUser()).isEqualTo("1004");
    assertThat(shown.getCallee().getUser()).isEqualTo("1008");
    assertThat(shown.getDialogsList()).hasSize(2);
    assertThat(shown.getDialogs(0).getRemoteTag()).isEqualTo("alice-tag");
    assertThat(shown.getDialogs(0).getNextHop()).isEqualTo("udp " + Scene.CALLER);
    assertThat(shown.getInvites(0).getState()).isEqualTo("answered");
    assertThat(shown.getMedia().getStreams(0).getCallerRemote()).isEqualTo("192.0.2.10:40000");
    assertThat(shown.toString()).doesNotContain("v=0").doesNotContain("m=audio");
  }

  @Test
  void tellsSetUpFromRinging() {
    Call begun = new Scene().begin().mediaHolds().call.orElseThrow();
    CallKey key = stored(1, begun, Optional.of(SELF));
    var shown = ask(calls::getCall, GetCallRequest.newBuilder().setCallKey(key.text()).build());
    assertThat(shown.getSummary().getState()).isEqualTo(CallState.CALL_STATE_SETTING_UP);
    assertThat(shown.getOpenTransactionsList()).contains("INVITE from caller");
    Call ringing = new Scene().begin().mediaHolds().callee(0, 180, "bob", "").call.orElseThrow();
    CallKey other = stored(2, ringing, Optional.of(SELF));
    assertThat(
            ask(calls::getCall, GetCallRequest.newBuilder().setCallKey(other.text()).build())
                .getSummary()
                .getState())
        .isEqualTo(CallState.CALL_STATE_RINGING);
  }

  @Test
  void hangsUpWhatIsOursOrNobodys() {
    CallKey ours = stored(1, up(), Optional.of(SELF));
    CallKey nobodys = stored(2, up(), Optional.empty());
    for (CallKey key : List.of(ours, nobodys)) {
      ask(calls::hangUpCall, HangUpCallRequest.newBuilder().setCallKey(key.text()).build());
    }
    assertThat(hungUp).containsExactly(ours, nobodys);
  }

  @Test
  void tellsTheNodeThatHasACallToHangItUp() {
    CallKey theirs = stored(1, up(), Optional.of(OTHER));
    var hangUp = HangUpCallRequest.newBuilder().setCallKey(theirs.text()).build();
    assertThat(ask(calls::hangUpCall, hangUp).getCallKey()).isEqualTo(theirs.text());
    assertThat(told).containsExactly(OTHER + " " + new MeshCommand.HangUp(theirs));
    delivery = Delivery.FAILED;
    Status status = said(calls::hangUpCall, hangUp).status;
    assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(status.getDescription()).contains("control-b", "was not reached");
    assertThat(hungUp).isEmpty();
  }

  @Test
  void tellsAnotherNodeToTakeNoNewCalls() {
    cluster.beat(
        new Beat(OTHER.node(), OTHER.incarnation(), 1, false),
        Duration.ofSeconds(3),
        beating -> {});
    clock.runReady();
    var other = DrainControlNodeRequest.newBuilder().setNodeId("control-b").build();
    assertThat(ask(nodes::drainControlNode, other).getState())
        .isEqualTo(ControlNodeState.CONTROL_NODE_STATE_DRAINING);
    assertThat(ask(nodes::undrainControlNode, other).getState())
        .isEqualTo(ControlNodeState.CONTROL_NODE_STATE_UP);
    assertThat(told)
        .containsExactly(
            OTHER + " " + new MeshCommand.Drain(true), OTHER + " " + new MeshCommand.Drain(false));
    assertThat(draining).isFalse();
    delivery = Delivery.FAILED;
    Status status = said(nodes::drainControlNode, other).status;
    assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(status.getDescription()).contains("node_id = control-b", "not reached");
  }

  @Test
  void knowsNoCallThatIsNotThere() {
    String key = key(5).text();
    assertThat(said(calls::getCall, GetCallRequest.newBuilder().setCallKey(key).build()).status)
        .satisfies(
            status -> {
              assertThat(status.getCode()).isEqualTo(Status.Code.NOT_FOUND);
              assertThat(status.getDescription()).contains("call_key = " + key);
            });
    assertThat(
            said(calls::hangUpCall, HangUpCallRequest.newBuilder().setCallKey(key).build())
                .status
                .getCode())
        .isEqualTo(Status.Code.NOT_FOUND);
  }

  @ParameterizedTest
  @ValueSource(strings = {"64", "0.abc", "x", "-1", "3."})
  void refusesATokenThatNoListGave(String token) {
    Status status =
        said(calls::listCalls, ListCallsRequest.newBuilder().setPageToken(token).build()).status;
    assertThat(status.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(status.getDescription()).contains("page_token = " + token);
  }

  @Test
  void balancesTheLedger() {
    for (int i = 0; i < 5; i++) {
      media.hold(stored(i, up(), Optional.empty()));
    }
    Ledger ledger = ask(nodes::getLedger, GetLedgerRequest.getDefaultInstance());
    assertThat(ledger.getBalanced()).isTrue();
    LedgerLine line = ledger.getLines(0);
    assertThat(line.getInStore()).isEqualTo(5);
    assertThat(line.getSessions()).isEqualTo(5);
    assertThat(line.getPortPairsAllocated()).isEqualTo(10).isEqualTo(line.getPortPairsBound());
  }

  @Test
  void namesWhatIsOnOneSideOfTheLedgerOnly() {
    CallKey lost = stored(1, up(), Optional.empty());
    media.hold(key(2));
    LedgerLine line = ask(nodes::getLedger, GetLedgerRequest.getDefaultInstance()).getLines(0);
    assertThat(line.getBalanced()).isFalse();
    assertThat(line.getNotOnNodeList()).containsExactly(lost.text());
    assertThat(line.getNotInStoreList()).containsExactly(key(2).text());
  }

  @Test
  void takesACallThatIsOnItsWayToTheNodeForRight() {
    stored(1, new Scene().begin().call.orElseThrow(), Optional.of(SELF));
    LedgerLine line = ask(nodes::getLedger, GetLedgerRequest.getDefaultInstance()).getLines(0);
    assertThat(line.getBalanced()).isTrue();
    assertThat(line.getInStore()).isEqualTo(1);
  }

  @Test
  void seesPortsThatBelongToNoSession() {
    media.hold(stored(1, up(), Optional.empty()));
    media.bound++;
    assertThat(ask(nodes::getLedger, GetLedgerRequest.getDefaultInstance()).getBalanced())
        .isFalse();
  }

  @Test
  void drainsItself() {
    var self = DrainControlNodeRequest.newBuilder().setNodeId("-").build();
    assertThat(ask(nodes::drainControlNode, self).getState())
        .isEqualTo(ControlNodeState.CONTROL_NODE_STATE_DRAINING);
    assertThat(draining).isTrue();
    assertThat(
            ask(nodes::listControlNodes, ListControlNodesRequest.getDefaultInstance())
                .getNodes(0)
                .getState())
        .isEqualTo(ControlNodeState.CONTROL_NODE_STATE_DRAINING);
    assertThat(ask(nodes::undrainControlNode, self).getState())
        .isEqualTo(ControlNodeState.CONTROL_NODE_STATE_UP);
    assertThat(draining).isFalse();
    var other = DrainControlNodeRequest.newBuilder().setNodeId("control-z").build();
    assertThat(said(nodes::drainControlNode, other).status.getCode())
        .isEqualTo(Status.Code.NOT_FOUND);
    var media = DrainMediaNodeRequest.newBuilder().setNodeId("media-z").build();
    assertThat(said(nodes::drainMediaNode, media).status.getCode())
        .isEqualTo(Status.Code.NOT_FOUND);
  }
}
