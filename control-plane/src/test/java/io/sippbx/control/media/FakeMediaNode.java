package io.sippbx.control.media;

import io.grpc.Server;
import io.grpc.Status;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.proto.media.v1.ApplyResult;
import io.sippbx.proto.media.v1.ControlMessage;
import io.sippbx.proto.media.v1.Endpoint;
import io.sippbx.proto.media.v1.Error;
import io.sippbx.proto.media.v1.ErrorCode;
import io.sippbx.proto.media.v1.ListRequest;
import io.sippbx.proto.media.v1.ListResponse;
import io.sippbx.proto.media.v1.MediaControlGrpc;
import io.sippbx.proto.media.v1.NodeMessage;
import io.sippbx.proto.media.v1.NodeState;
import io.sippbx.proto.media.v1.NodeStatus;
import io.sippbx.proto.media.v1.PortPairs;
import io.sippbx.proto.media.v1.ReleaseResult;
import io.sippbx.proto.media.v1.Session;
import io.sippbx.proto.media.v1.SessionEvent;
import io.sippbx.proto.media.v1.Stream;
import io.sippbx.proto.media.v1.StreamEndState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A media node of which only the contract is real: it grants what it is asked for, and can be
 * silent, stuck, killed and started again. Everything runs on a virtual loop.
 */
final class FakeMediaNode {

  final TreeMap<String, Session> sessions = new TreeMap<>();
  final List<ControlMessage> received = new ArrayList<>();
  final String address;
  private final String name;
  private final VirtualLoop loop;
  private final List<StreamObserver<NodeMessage>> streams = new ArrayList<>();
  private @Nullable Server server;
  private long incarnation;

  NodeState state = NodeState.NODE_STATE_RUNNING;
  int pairsTotal = 100;
  int pairsLent;
  int pairsTotalV6;
  int pageSize = 1_000;

  /** Says nothing by itself. */
  boolean silent;

  /** Takes requests and answers none. */
  boolean mute;

  @Nullable ErrorCode refusal;

  FakeMediaNode(String name, VirtualLoop loop) {
    this(name, name, loop);
  }

  FakeMediaNode(String name, String address, VirtualLoop loop) {
    this.name = name;
    this.address = address;
    this.loop = loop;
  }

  /** Starts it as another incarnation without sessions. */
  void start() {
    incarnation++;
    sessions.clear();
    pairsLent = 0;
    connect();
  }

  /** The network to it is there again; it never stopped. */
  void connect() {
    try {
      server =
          InProcessServerBuilder.forName(address)
              .executor(loop::execute)
              .addService(new Rpcs())
              .build()
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    int of = ++starts;
    loop.execute(() -> heartbeat(of));
  }

  private int starts;

  /** Nobody can reach it, and its streams are reset; it goes on. */
  void disconnect() {
    starts++;
    if (server != null) {
      server.shutdownNow();
    }
    streams.clear();
  }

  int streams() {
    return streams.size();
  }

  void say(NodeMessage message) {
    streams.forEach(stream -> stream.onNext(message));
  }

  void say(SessionEvent.Builder event) {
    say(NodeMessage.newBuilder().setEvent(event).build());
  }

  void sayStatus() {
    say(NodeMessage.newBuilder().setStatus(status()).build());
  }

  NodeStatus status() {
    return NodeStatus.newBuilder()
        .setNodeId(name)
        .setIncarnation(incarnation)
        .setState(state)
        .setSessions(sessions.size())
        .setSessionsLimit(1_000)
        .setPairsV4(PortPairs.newBuilder().setTotal(pairsTotal).setInUse(pairsLent))
        .setPairsV6(PortPairs.newBuilder().setTotal(pairsTotalV6))
        .build();
  }

  long applies() {
    return received.stream().filter(ControlMessage::hasApply).count();
  }

  long releases() {
    return received.stream().filter(ControlMessage::hasRelease).count();
  }

  long restoresDone() {
    return received.stream().filter(ControlMessage::hasRestoreDone).count();
  }

  private void heartbeat(int of) {
    if (of != starts) {
      return;
    }
    if (!silent) {
      sayStatus();
    }
    loop.schedule(Duration.ofMillis(250), () -> heartbeat(of));
  }

  private static StreamEndState end(int port) {
    return StreamEndState.newBuilder()
        .setLocalRtp(Endpoint.newBuilder().setIp("192.0.2.7").setPort(port))
        .setLocalRtcp(Endpoint.newBuilder().setIp("192.0.2.7").setPort(port + 1))
        .build();
  }

  private void take(ControlMessage message, StreamObserver<NodeMessage> out) {
    received.add(message);
    if (message.hasHello()) {
      streams.add(out);
      if (!silent) {
        out.onNext(NodeMessage.newBuilder().setStatus(status()).build());
      }
    } else if (message.hasRestoreDone() && !mute) {
      state = NodeState.NODE_STATE_RUNNING;
      sayStatus();
    } else if (message.hasApply() && !mute) {
      var spec = message.getApply().getSpec();
      var result = ApplyResult.newBuilder().setRequestId(message.getApply().getRequestId());
      if (refusal != null) {
        result.setError(Error.newBuilder().setCode(refusal).setDetail("no").setHeldRevision(9));
      } else {
        var session =
            Session.newBuilder()
                .setCallKey(spec.getCallKey())
                .setRevision(spec.getRevision())
                .setConfirmed(spec.getConfirmed());
        for (var stream : spec.getStreamsList()) {
          session.addStreams(
              Stream.newBuilder().setIndex(stream.getIndex()).setA(end(10_000)).setB(end(10_002)));
        }
        if (sessions.put(spec.getCallKey(), session.build()) == null) {
          pairsLent += 2 * spec.getStreamsCount();
        }
        result.setSession(session);
      }
      out.onNext(NodeMessage.newBuilder().setApplyResult(result).build());
    } else if (message.hasRelease() && !mute) {
      Session last = sessions.remove(message.getRelease().getCallKey());
      out.onNext(
          NodeMessage.newBuilder()
              .setReleaseResult(
                  ReleaseResult.newBuilder()
                      .setRequestId(message.getRelease().getRequestId())
                      .setSession(last == null ? Session.getDefaultInstance() : last))
              .build());
    }
  }

  private final class Rpcs extends MediaControlGrpc.MediaControlImplBase {
    @Override
    public StreamObserver<ControlMessage> connect(StreamObserver<NodeMessage> out) {
      return new StreamObserver<>() {
        @Override
        public void onNext(ControlMessage message) {
          take(message, out);
        }

        @Override
        public void onError(Throwable error) {
          streams.remove(out);
        }

        @Override
        public void onCompleted() {
          streams.remove(out);
          out.onCompleted();
        }
      };
    }

    @Override
    public void list(ListRequest request, StreamObserver<ListResponse> out) {
      if (mute) {
        out.onError(Status.UNAVAILABLE.asRuntimeException());
        return;
      }
      var rest = sessions.tailMap(request.getAfterCallKey(), false);
      var response = ListResponse.newBuilder().setNode(status());
      for (Session session : rest.values()) {
        if (response.getSessionsCount() == pageSize) {
          response.setNextAfterCallKey(response.getSessions(pageSize - 1).getCallKey());
          break;
        }
        response.addSessions(session);
      }
      out.onNext(response.build());
      out.onCompleted();
    }
  }
}
