package io.sippbx.control.admin;

import com.google.protobuf.Duration;
import io.grpc.stub.StreamObserver;
import io.sippbx.control.admin.ControlNodes.Drained;
import io.sippbx.control.admin.ControlNodes.Seen;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaDirectory;
import io.sippbx.control.media.MediaDirectory.NodeAnswer;
import io.sippbx.control.media.MediaDirectory.SeenNode;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.proto.admin.v1.ControlNode;
import io.sippbx.proto.admin.v1.ControlNodeState;
import io.sippbx.proto.admin.v1.DrainControlNodeRequest;
import io.sippbx.proto.admin.v1.DrainMediaNodeRequest;
import io.sippbx.proto.admin.v1.GetLedgerRequest;
import io.sippbx.proto.admin.v1.Ledger;
import io.sippbx.proto.admin.v1.ListControlNodesRequest;
import io.sippbx.proto.admin.v1.ListControlNodesResponse;
import io.sippbx.proto.admin.v1.ListMediaNodesRequest;
import io.sippbx.proto.admin.v1.ListMediaNodesResponse;
import io.sippbx.proto.admin.v1.MediaNode;
import io.sippbx.proto.admin.v1.MediaNodeState;
import io.sippbx.proto.admin.v1.NodesGrpc;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The nodes of the cluster, and what the media nodes hold against what is recorded. */
final class NodesService extends NodesGrpc.NodesImplBase {

  /** Stands for the node that is asked. */
  private static final String SELF = "-";

  private static final int MAX_IN_FLIGHT_COUNTED = 100_000;

  private final Loop loop;
  private final PartitionStore partitions;
  private final ControlNodes control;
  private final MediaDirectory media;
  private final Optional<NodeId> ownMedia;
  private final LedgerDrawing ledger;

  /**
   * @param ownMedia the media node of this process, if it has one
   */
  NodesService(
      Loop loop,
      PartitionStore partitions,
      ControlNodes control,
      MediaDirectory media,
      Optional<NodeId> ownMedia,
      LedgerDrawing ledger) {
    this.loop = loop;
    this.partitions = partitions;
    this.control = control;
    this.media = media;
    this.ownMedia = ownMedia;
    this.ledger = ledger;
  }

  @Override
  public void listControlNodes(
      ListControlNodesRequest request, StreamObserver<ListControlNodesResponse> observer) {
    AdminErrors.orRefuse(
        observer,
        () -> {
          int size = Pages.size(request.getPageSize());
          String token = request.getPageToken();
          control.list(
              answer -> {
                switch (answer) {
                  case ControlNodes.Answer.Members(List<Seen> members) ->
                      loop.execute(
                          () ->
                              new Counting(
                                      Pages.of(
                                          members, each -> each.member().toString(), size, token),
                                      observer)
                                  .next());
                  case ControlNodes.Answer.Unavailable(String detail) ->
                      observer.onError(AdminErrors.unavailable("the store: " + detail));
                }
              });
        });
  }

  /** Counts what each node of a page has in flight, one after the other. Lives on the loop. */
  private final class Counting {
    private final Pages.Page<Seen> page;
    private final StreamObserver<ListControlNodesResponse> observer;
    private final List<ControlNode> shown = new ArrayList<>();

    Counting(Pages.Page<Seen> page, StreamObserver<ListControlNodesResponse> observer) {
      this.page = page;
      this.observer = observer;
    }

    void next() {
      if (shown.size() == page.entries().size()) {
        observer.onNext(
            ListControlNodesResponse.newBuilder()
                .addAllNodes(shown)
                .setNextPageToken(page.next())
                .build());
        observer.onCompleted();
        return;
      }
      Seen seen = page.entries().get(shown.size());
      PartitionWalk.go(
          loop,
          (partition, after, limit, answer) ->
              partitions.inFlight(partition, seen.member().node(), after, limit, answer),
          PartitionWalk.Position.START,
          MAX_IN_FLIGHT_COUNTED,
          outcome -> {
            switch (outcome) {
              case PartitionWalk.Outcome.Calls calls -> {
                shown.add(shown(seen).setInFlightCalls(calls.calls().size()).build());
                next();
              }
              case PartitionWalk.Outcome.Unavailable(String detail) ->
                  observer.onError(AdminErrors.unavailable(detail));
            }
          });
    }
  }

  private ControlNode.Builder shown(Seen seen) {
    return ControlNode.newBuilder()
        .setNodeId(seen.member().node().text())
        .setIncarnation(seen.member().incarnation().toString())
        .setState(
            switch (seen.state()) {
              case UP -> ControlNodeState.CONTROL_NODE_STATE_UP;
              case DRAINING -> ControlNodeState.CONTROL_NODE_STATE_DRAINING;
              case LAPSED -> ControlNodeState.CONTROL_NODE_STATE_LAPSED;
              case LEFT -> ControlNodeState.CONTROL_NODE_STATE_LEFT;
            })
        .setIsThis(seen.member().equals(control.self()));
  }

  @Override
  public void drainControlNode(
      DrainControlNodeRequest request, StreamObserver<ControlNode> observer) {
    drain(request, true, observer);
  }

  @Override
  public void undrainControlNode(
      DrainControlNodeRequest request, StreamObserver<ControlNode> observer) {
    drain(request, false, observer);
  }

  private void drain(
      DrainControlNodeRequest request, boolean drain, StreamObserver<ControlNode> observer) {
    AdminErrors.orRefuse(
        observer,
        () -> {
          NodeId node = node(request.getNodeId(), Optional.of(control.self().node()));
          control.drain(
              node,
              drain,
              drained -> {
                switch (drained) {
                  case Drained.Done(Seen seen) -> {
                    observer.onNext(shown(seen).build());
                    observer.onCompleted();
                  }
                  case Drained.Unknown unknown ->
                      observer.onError(
                          AdminErrors.notFound(
                              "node_id", node.text(), "no such control node lives"));
                  case Drained.Unreachable(String why) ->
                      observer.onError(
                          AdminErrors.unavailable("node_id = " + node.text() + ": " + why));
                  case Drained.Unavailable(String detail) ->
                      observer.onError(AdminErrors.unavailable("the store: " + detail));
                }
              });
        });
  }

  @Override
  public void listMediaNodes(
      ListMediaNodesRequest request, StreamObserver<ListMediaNodesResponse> observer) {
    AdminErrors.orRefuse(
        observer,
        () -> {
          int size = Pages.size(request.getPageSize());
          media.nodes(
              all -> {
                Pages.Page<SeenNode> page =
                    Pages.of(all, each -> each.id().text(), size, request.getPageToken());
                observer.onNext(
                    ListMediaNodesResponse.newBuilder()
                        .addAllNodes(page.entries().stream().map(NodesService::shown).toList())
                        .setNextPageToken(page.next())
                        .build());
                observer.onCompleted();
              });
        });
  }

  @Override
  public void drainMediaNode(DrainMediaNodeRequest request, StreamObserver<MediaNode> observer) {
    drain(request, true, observer);
  }

  @Override
  public void undrainMediaNode(DrainMediaNodeRequest request, StreamObserver<MediaNode> observer) {
    drain(request, false, observer);
  }

  private void drain(
      DrainMediaNodeRequest request, boolean drain, StreamObserver<MediaNode> observer) {
    AdminErrors.orRefuse(
        observer,
        () -> {
          NodeId node = node(request.getNodeId(), ownMedia);
          media.drain(
              node,
              drain,
              answer -> {
                switch (answer) {
                  case NodeAnswer.Done(SeenNode seen) -> {
                    observer.onNext(shown(seen));
                    observer.onCompleted();
                  }
                  case NodeAnswer.Unknown unknown ->
                      observer.onError(
                          AdminErrors.notFound(
                              "node_id", node.text(), "there is no such media node"));
                  case NodeAnswer.Unreachable(String detail) ->
                      observer.onError(
                          AdminErrors.unavailable("node_id = " + node.text() + ": " + detail));
                }
              });
        });
  }

  private static NodeId node(String text, Optional<NodeId> own) {
    if (text.equals(SELF)) {
      return own.orElseThrow(
          () -> AdminErrors.notNow("node_id", SELF, "this process has no media node"));
    }
    try {
      return new NodeId(text);
    } catch (IllegalArgumentException e) {
      throw AdminErrors.invalid(
          "node_id", text, "1 to 63 letters, digits, hyphens and dots, or - for this node");
    }
  }

  private static MediaNode shown(SeenNode seen) {
    return MediaNode.newBuilder()
        .setNodeId(seen.id().text())
        .setIncarnation(seen.incarnation().map(Incarnation::toString).orElse(""))
        .setState(
            switch (seen.state()) {
              case RUNNING -> MediaNodeState.MEDIA_NODE_STATE_RUNNING;
              case DRAINING -> MediaNodeState.MEDIA_NODE_STATE_DRAINING;
              case RESTORING -> MediaNodeState.MEDIA_NODE_STATE_RESTORING;
              case SUSPECTED -> MediaNodeState.MEDIA_NODE_STATE_SUSPECTED;
              case LOST -> MediaNodeState.MEDIA_NODE_STATE_LOST;
            })
        .setSessions(seen.sessions())
        .setSessionsLimit(seen.sessionsLimit())
        .setPortPairs(seen.pairs())
        .setPortPairsInUse(seen.pairsInUse())
        .setSilentFor(
            Duration.newBuilder()
                .setSeconds(seen.silentFor().toSeconds())
                .setNanos(seen.silentFor().toNanosPart()))
        .build();
  }

  @Override
  public void getLedger(GetLedgerRequest request, StreamObserver<Ledger> observer) {
    ledger.draw(
        drawn -> {
          observer.onNext(drawn);
          observer.onCompleted();
        });
  }
}
