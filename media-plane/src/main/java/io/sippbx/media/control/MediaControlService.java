package io.sippbx.media.control;

import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.sippbx.media.session.Answer;
import io.sippbx.media.session.ControlNode;
import io.sippbx.media.session.MediaSessions;
import io.sippbx.media.session.NodeLoop;
import io.sippbx.media.session.NodeState;
import io.sippbx.media.session.SessionEvent;
import io.sippbx.media.session.SessionListener;
import io.sippbx.proto.media.v1.Apply;
import io.sippbx.proto.media.v1.ApplyResult;
import io.sippbx.proto.media.v1.Claim;
import io.sippbx.proto.media.v1.ControlMessage;
import io.sippbx.proto.media.v1.DrainRequest;
import io.sippbx.proto.media.v1.GetRequest;
import io.sippbx.proto.media.v1.Hello;
import io.sippbx.proto.media.v1.ListRequest;
import io.sippbx.proto.media.v1.ListResponse;
import io.sippbx.proto.media.v1.MediaControlGrpc;
import io.sippbx.proto.media.v1.NodeMessage;
import io.sippbx.proto.media.v1.NodeStatus;
import io.sippbx.proto.media.v1.Release;
import io.sippbx.proto.media.v1.ReleaseResult;
import io.sippbx.proto.media.v1.RestoreDone;
import io.sippbx.proto.media.v1.Session;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The service {@code MediaControl}. Confined to the node's loop: the gRPC server is to have it as
 * its executor. {@link #tick} is to be called once in each {@link ControlSettings#statusEvery}.
 */
public final class MediaControlService implements SessionListener {

  private static final Logger log = LoggerFactory.getLogger(MediaControlService.class);

  private final ControlSettings settings;
  private final NodeLoop loop;
  private final MessageWriter writer;
  private final SpecReader reader;
  private final ErrorInterceptor errors = new ErrorInterceptor();
  private final List<ControlStream> streams = new ArrayList<>();

  /** While the node is restoring: who has nothing more to bring back. */
  private final Set<String> restoredBy = new TreeSet<>();

  /** While the node is restoring: who may have something to bring back, as those say. */
  private final Set<String> restorers = new TreeSet<>();

  private @Nullable MediaSessions sessions;
  private boolean stopping;
  private long streamsOpened;
  private long streamsRefused;
  private long streamsTooSlow;
  private long streamsInvalid;

  /** A service that has yet to be told its sessions. */
  public MediaControlService(
      ControlSettings settings, NodeId id, Incarnation incarnation, NodeLoop loop, int maxStreams) {
    this.settings = settings;
    this.loop = loop;
    writer = new MessageWriter(id, incarnation, loop);
    reader = new SpecReader(maxStreams);
  }

  /** The sessions that it speaks of, whose listener it is. Called once, before it serves. */
  public void serve(MediaSessions of) {
    sessions = of;
  }

  /** What a gRPC server is to serve. */
  public ServerServiceDefinition definition() {
    return ServerInterceptors.intercept(new Rpcs(), errors);
  }

  /** Sends the node's state, and closes streams that are stuck or say nothing. */
  public void tick() {
    long nowNs = loop.nowNs();
    sendStatus();
    for (ControlStream stream : List.copyOf(streams)) {
      stream.flush(nowNs);
      if (stream.stuckNs(nowNs) >= settings.stuckAfter().toNanos()) {
        tooSlow(stream);
      } else if (stream.silentNs(nowNs) >= settings.helloWithin().toNanos()) {
        streamsInvalid++;
        end(stream, MediaControlException.noHello());
      }
    }
  }

  /** Closes all streams and takes no more. */
  public void stop() {
    stopping = true;
    for (ControlStream stream : List.copyOf(streams)) {
      end(stream, MediaControlException.stopping());
    }
  }

  /** What happened since the start. */
  public ControlCounters counters() {
    int queued = 0;
    int highMark = 0;
    for (ControlStream stream : streams) {
      queued += stream.queued();
      highMark = Math.max(highMark, stream.highMark());
    }
    return new ControlCounters(
        streams.size(),
        streamsOpened,
        streamsRefused,
        streamsTooSlow,
        streamsInvalid,
        queued,
        highMark,
        errors.faults());
  }

  @Override
  public void event(SessionEvent event, Optional<ControlNode> claimant) {
    NodeMessage message = NodeMessage.newBuilder().setEvent(MessageWriter.event(event)).build();
    for (ControlStream stream : List.copyOf(streams)) {
      boolean meant =
          stream.peer().isPresent() && (claimant.isEmpty() || claimant.equals(stream.peer()));
      if (meant) {
        send(stream, message);
      }
    }
  }

  @Override
  public void stateChanged(NodeState state) {
    log.atInfo().addKeyValue("state", state).log("media.node.state");
    sendStatus();
  }

  private MediaSessions sessions() {
    if (sessions == null) {
      throw new IllegalStateException("Expected serve() to have been called, but it was not");
    }
    return sessions;
  }

  private void sendStatus() {
    NodeStatus status = writer.status(sessions());
    long nowNs = loop.nowNs();
    for (ControlStream stream : streams) {
      if (stream.peer().isPresent()) {
        stream.send(status, nowNs);
      }
    }
  }

  private void send(ControlStream stream, NodeMessage message) {
    if (!stream.send(message, loop.nowNs())) {
      tooSlow(stream);
    }
  }

  private void tooSlow(ControlStream stream) {
    streamsTooSlow++;
    log.atWarn()
        .addKeyValue("control", MessageWriter.name(stream.peer()))
        .addKeyValue("queued", stream.queued())
        .log("media.control.too_slow");
    end(stream, MediaControlException.tooSlow(stream.queued()));
  }

  private void end(ControlStream stream, @Nullable MediaControlException error) {
    if (streams.remove(stream)) {
      stream.peer().ifPresent(sessions()::disconnected);
      log.atInfo()
          .addKeyValue("control", MessageWriter.name(stream.peer()))
          .addKeyValue("reason", error == null ? "completed" : error.getMessage())
          .log("media.control.disconnected");
    }
    stream.close(error);
  }

  private CallKey key(String field, String text) {
    return SpecReader.callKey(text)
        .orElseThrow(
            () ->
                MediaControlException.invalid(
                    field, "26 characters of base32", SpecReader.shown(text)));
  }

  // --- A stream ---

  private StreamObserver<ControlMessage> opened(ServerCallStreamObserver<NodeMessage> observer) {
    if (stopping) {
      throw MediaControlException.stopping();
    }
    if (streams.size() >= settings.maxStreams()) {
      streamsRefused++;
      throw MediaControlException.tooManyStreams(settings.maxStreams());
    }
    var stream = new ControlStream(observer, settings.maxQueued(), loop.nowNs());
    streams.add(stream);
    streamsOpened++;
    observer.disableAutoRequest();
    observer.setOnReadyHandler(() -> stream.flush(loop.nowNs()));
    observer.setOnCancelHandler(() -> end(stream, null));
    observer.request(settings.maxInFlight());
    return new StreamObserver<>() {
      @Override
      public void onNext(ControlMessage message) {
        if (!stream.isClosed()) {
          try {
            received(stream, message);
          } catch (MediaControlException wrong) {
            streamsInvalid++;
            end(stream, wrong);
          }
        }
      }

      @Override
      public void onError(Throwable error) {
        end(stream, null);
      }

      @Override
      public void onCompleted() {
        end(stream, null);
      }
    };
  }

  private void received(ControlStream stream, ControlMessage message) {
    if (stream.peer().isEmpty()) {
      if (!message.hasHello()) {
        throw MediaControlException.invalid(
            "the first message", "a Hello", message.getMessageCase().toString());
      }
      hello(stream, message.getHello());
      return;
    }
    ControlNode peer = stream.peer().get();
    switch (message.getMessageCase()) {
      case APPLY -> apply(stream, peer, message.getApply());
      case RELEASE -> release(stream, message.getRelease());
      case CLAIM -> claim(stream, peer, message.getClaim());
      case RESTORE_DONE -> restoreDone(stream, peer, message.getRestoreDone());
      case HELLO -> throw MediaControlException.invalid("a second Hello", "left out", "one");
      case MESSAGE_NOT_SET ->
          throw MediaControlException.invalid("message", "set to what this node knows", "nothing");
    }
  }

  private void hello(ControlStream stream, Hello hello) {
    NodeId id;
    try {
      id = new NodeId(hello.getNodeId());
    } catch (IllegalArgumentException notOne) {
      throw MediaControlException.invalid(
          "hello.node_id",
          "1 to 63 letters, digits, hyphens and dots",
          SpecReader.shown(hello.getNodeId()));
    }
    var node = new ControlNode(id, new Incarnation(hello.getIncarnation()));
    stream.hello(node);
    sessions().connected(node);
    log.atInfo().addKeyValue("control", node).log("media.control.connected");
    stream.send(writer.status(sessions()), loop.nowNs());
    stream.request();
  }

  private void apply(ControlStream stream, ControlNode peer, Apply apply) {
    long id = apply.getRequestId();
    switch (reader.read(apply.getSpec())) {
      case SpecReader.Reading.Valid(var spec) ->
          sessions().apply(spec, peer, answer -> applied(stream, id, answer));
      case SpecReader.Reading.Invalid invalid ->
          applied(
              stream, id, new Answer.Refused(Answer.Refusal.INVALID_SPEC, invalid.toString(), 0));
    }
  }

  private void applied(ControlStream stream, long requestId, Answer answer) {
    var result = ApplyResult.newBuilder().setRequestId(requestId);
    switch (answer) {
      case Answer.Done(var session) -> result.setSession(writer.session(session));
      case Answer.Refused refused -> result.setError(MessageWriter.error(refused));
    }
    answered(stream, NodeMessage.newBuilder().setApplyResult(result).build());
  }

  private void release(ControlStream stream, Release release) {
    long id = release.getRequestId();
    Optional<CallKey> call = SpecReader.callKey(release.getCallKey());
    if (call.isEmpty()) {
      refuseRelease(
          stream,
          id,
          "Expected call_key to be 26 characters of base32, but got "
              + SpecReader.shown(release.getCallKey()));
    } else if (release.getRevision() < 0) {
      refuseRelease(
          stream,
          id,
          "Expected revision to be from 0 to 2^63-1, but got "
              + Long.toUnsignedString(release.getRevision()));
    } else {
      sessions().release(call.get(), release.getRevision(), answer -> released(stream, id, answer));
    }
  }

  private void refuseRelease(ControlStream stream, long id, String detail) {
    released(stream, id, new Answer.Refused(Answer.Refusal.INVALID_SPEC, detail, 0));
  }

  private void released(ControlStream stream, long requestId, Answer answer) {
    var result = ReleaseResult.newBuilder().setRequestId(requestId);
    switch (answer) {
      case Answer.Done(var session) -> result.setSession(writer.session(session));
      case Answer.Refused refused -> result.setError(MessageWriter.error(refused));
    }
    answered(stream, NodeMessage.newBuilder().setReleaseResult(result).build());
  }

  private void answered(ControlStream stream, NodeMessage message) {
    send(stream, message);
    stream.request();
  }

  /** The first that is done may know nothing of what another has yet to bring back. */
  private void restoreDone(ControlStream stream, ControlNode peer, RestoreDone done) {
    if (done.getControlNodesCount() > ControlSettings.MAX_CONTROL_NODES) {
      throw MediaControlException.invalid(
          "restore_done.control_nodes",
          "at most " + ControlSettings.MAX_CONTROL_NODES,
          Integer.toString(done.getControlNodesCount()));
    }
    if (sessions().state() == NodeState.RESTORING) {
      sessions().restoredByOne();
      restoredBy.add(peer.id().text());
      restorers.addAll(done.getControlNodesList());
      if (restorers.size() > ControlSettings.MAX_CONTROL_NODES
          || restoredBy.containsAll(restorers)) {
        log.atInfo().addKeyValue("control", restoredBy).log("media.node.restored");
        restoredBy.clear();
        restorers.clear();
        sessions().restored();
      }
    }
    stream.request();
  }

  private void claim(ControlStream stream, ControlNode peer, Claim claim) {
    if (claim.getCallKeysCount() > ControlSettings.MAX_CLAIMS) {
      throw MediaControlException.invalid(
          "claim.call_keys",
          "at most " + ControlSettings.MAX_CLAIMS,
          Integer.toString(claim.getCallKeysCount()));
    }
    var calls = new ArrayList<CallKey>(claim.getCallKeysCount());
    for (String text : claim.getCallKeysList()) {
      calls.add(key("claim.call_keys", text));
    }
    sessions().claim(peer, calls);
    stream.request();
  }

  // --- gRPC ---

  private final class Rpcs extends MediaControlGrpc.MediaControlImplBase {

    @Override
    public StreamObserver<ControlMessage> connect(StreamObserver<NodeMessage> observer) {
      return opened((ServerCallStreamObserver<NodeMessage>) observer);
    }

    @Override
    public void get(GetRequest request, StreamObserver<Session> observer) {
      CallKey call = key("call_key", request.getCallKey());
      Session session =
          sessions()
              .get(call)
              .map(writer::session)
              .orElseThrow(() -> MediaControlException.notFound("a session of call " + call));
      observer.onNext(session);
      observer.onCompleted();
    }

    @Override
    public void list(ListRequest request, StreamObserver<ListResponse> observer) {
      int asked = request.getPageSize();
      int size = asked <= 0 || asked > ControlSettings.MAX_PAGE ? ControlSettings.MAX_PAGE : asked;
      Optional<CallKey> after =
          request.getAfterCallKey().isEmpty()
              ? Optional.empty()
              : Optional.of(key("after_call_key", request.getAfterCallKey()));
      var page = ListResponse.newBuilder().setNode(writer.status(sessions()));
      int[] bytes = {0};
      boolean more =
          sessions()
              .list(
                  after,
                  state -> {
                    if (page.getSessionsCount() == size || bytes[0] >= settings.maxPageBytes()) {
                      return false;
                    }
                    Session session = writer.session(state);
                    bytes[0] += session.getSerializedSize();
                    page.addSessions(session);
                    return true;
                  });
      if (more) {
        page.setNextAfterCallKey(page.getSessions(page.getSessionsCount() - 1).getCallKey());
      }
      observer.onNext(page.build());
      observer.onCompleted();
    }

    @Override
    public void drain(DrainRequest request, StreamObserver<NodeStatus> observer) {
      sessions().drain(request.getDrain());
      observer.onNext(writer.status(sessions()));
      observer.onCompleted();
    }
  }

  /** The name under which its health is told. */
  public static String name() {
    return MediaControlGrpc.SERVICE_NAME;
  }
}
