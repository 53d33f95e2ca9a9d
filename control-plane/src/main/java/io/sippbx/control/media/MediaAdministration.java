package io.sippbx.control.media;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaNodeView.Health;
import io.sippbx.proto.media.v1.DrainRequest;
import io.sippbx.proto.media.v1.ListRequest;
import io.sippbx.proto.media.v1.ListResponse;
import io.sippbx.proto.media.v1.NodeState;
import io.sippbx.proto.media.v1.NodeStatus;
import io.sippbx.proto.media.v1.PortPairs;
import io.sippbx.proto.media.v1.Session;
import io.sippbx.proto.media.v1.Stream;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What an administrator sees of the media nodes, and tells them, by the streams that there are. */
final class MediaAdministration implements MediaDirectory {

  private static final String NOT_CONNECTED = "not connected";

  private final Loop loop;
  private final MediaNodes nodes;

  MediaAdministration(Loop loop, MediaNodes nodes) {
    this.loop = loop;
    this.nodes = nodes;
  }

  @Override
  public void nodes(Consumer<List<SeenNode>> answer) {
    loop.execute(
        () -> {
          var seen = new ArrayList<SeenNode>();
          for (MediaNodeView node : nodes.all()) {
            seen.add(seen(node));
          }
          answer.accept(List.copyOf(seen));
        });
  }

  private SeenNode seen(MediaNodeView node) {
    NodeStatus status = node.status;
    State state =
        switch (node.health) {
          case SUSPECTED -> State.SUSPECTED;
          case LOST -> State.LOST;
          case HEALTHY ->
              status.getState() == NodeState.NODE_STATE_DRAINING
                  ? State.DRAINING
                  : status.getState() == NodeState.NODE_STATE_RESTORING
                      ? State.RESTORING
                      : State.RUNNING;
        };
    return new SeenNode(
        node.id,
        Optional.ofNullable(node.incarnation),
        state,
        status.getSessions(),
        status.getSessionsLimit(),
        Integer.toUnsignedLong(status.getPairsV4().getTotal())
            + Integer.toUnsignedLong(status.getPairsV6().getTotal()),
        inUse(status),
        node.health == Health.HEALTHY
            ? Duration.ZERO
            : Duration.ofNanos(loop.nowNs() - node.heardNs));
  }

  private static long inUse(NodeStatus status) {
    PortPairs v4 = status.getPairsV4();
    PortPairs v6 = status.getPairsV6();
    return Integer.toUnsignedLong(v4.getInUse()) + Integer.toUnsignedLong(v6.getInUse());
  }

  @Override
  public void drain(NodeId id, boolean drain, Consumer<NodeAnswer> answer) {
    loop.execute(
        () -> {
          MediaNodeView node = nodes.get(id);
          MediaLink link = node == null ? null : node.link;
          if (node == null) {
            answer.accept(new NodeAnswer.Unknown());
          } else if (link == null || !link.isOpen()) {
            answer.accept(new NodeAnswer.Unreachable(NOT_CONNECTED));
          } else {
            link.drain(
                DrainRequest.newBuilder().setDrain(drain).build(),
                new One<NodeStatus>(
                    status -> {
                      nodes.heard(node, status, loop.nowNs());
                      answer.accept(new NodeAnswer.Done(seen(node)));
                    },
                    problem -> answer.accept(new NodeAnswer.Unreachable(problem))));
          }
        });
  }

  @Override
  public void sessions(
      NodeId id, Optional<CallKey> after, int limit, Consumer<SessionsAnswer> answer) {
    loop.execute(
        () -> {
          MediaNodeView node = nodes.get(id);
          MediaLink link = node == null ? null : node.link;
          if (link == null || !link.isOpen()) {
            answer.accept(new SessionsAnswer.Unreachable(NOT_CONNECTED));
          } else {
            link.list(
                ListRequest.newBuilder()
                    .setPageSize(limit)
                    .setAfterCallKey(after.map(CallKey::text).orElse(""))
                    .build(),
                new One<ListResponse>(
                    page -> answer.accept(page(page)),
                    problem -> answer.accept(new SessionsAnswer.Unreachable(problem))));
          }
        });
  }

  private static SessionsAnswer page(ListResponse page) {
    var sessions = new ArrayList<HeldSession>();
    for (Session session : page.getSessionsList()) {
      int pairs = 0;
      for (Stream stream : session.getStreamsList()) {
        pairs += stream.getA().hasLocalRtp() ? 1 : 0;
        pairs += stream.getB().hasLocalRtp() ? 1 : 0;
      }
      Optional<CallKey> call = CallKey.prefixOf(session.getCallKey());
      if (call.isPresent()) {
        sessions.add(new HeldSession(call.get(), pairs));
      }
    }
    return new SessionsAnswer.Page(
        sessions, inUse(page.getNode()), CallKey.prefixOf(page.getNextAfterCallKey()));
  }

  /** The one answer to a question, or why there is none. */
  private static final class One<T> implements StreamObserver<T> {
    private final Consumer<T> answer;
    private final Consumer<String> problem;
    private @Nullable T value;

    One(Consumer<T> answer, Consumer<String> problem) {
      this.answer = answer;
      this.problem = problem;
    }

    @Override
    public void onNext(T next) {
      value = next;
    }

    @Override
    public void onError(Throwable error) {
      Status status = Status.fromThrowable(error);
      String detail = status.getDescription();
      problem.accept(detail == null ? status.getCode().toString() : detail);
    }

    @Override
    public void onCompleted() {
      if (value == null) {
        problem.accept("it answered nothing");
      } else {
        answer.accept(value);
      }
    }
  }
}
