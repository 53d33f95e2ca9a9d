package io.sippbx.app;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.sippbx.media.MediaNode;
import io.sippbx.media.MediaNodeMetrics;
import io.sippbx.media.port.PortLedger;
import io.sippbx.media.session.NodeState;
import io.sippbx.proto.admin.v1.DrainMediaNodeRequest;
import io.sippbx.proto.admin.v1.ListMediaNodesRequest;
import io.sippbx.proto.admin.v1.ListMediaNodesResponse;
import io.sippbx.proto.admin.v1.MediaNodeState;
import io.sippbx.proto.admin.v1.NodesGrpc;

/**
 * What may be administered in a process that is a media node and nothing else: itself. So a host
 * that is to go down can drain its node without asking a control node.
 */
final class OwnMediaNode extends NodesGrpc.NodesImplBase {

  private final MediaNode node;

  OwnMediaNode(MediaNode node) {
    this.node = node;
  }

  @Override
  public void listMediaNodes(
      ListMediaNodesRequest request, StreamObserver<ListMediaNodesResponse> observer) {
    var response = ListMediaNodesResponse.newBuilder();
    if (request.getPageToken().isEmpty()) {
      response.addNodes(shown(state(node.metrics().state())));
    }
    observer.onNext(response.build());
    observer.onCompleted();
  }

  @Override
  public void drainMediaNode(
      DrainMediaNodeRequest request, StreamObserver<io.sippbx.proto.admin.v1.MediaNode> observer) {
    drain(request, true, observer);
  }

  @Override
  public void undrainMediaNode(
      DrainMediaNodeRequest request, StreamObserver<io.sippbx.proto.admin.v1.MediaNode> observer) {
    drain(request, false, observer);
  }

  private void drain(
      DrainMediaNodeRequest request,
      boolean drain,
      StreamObserver<io.sippbx.proto.admin.v1.MediaNode> observer) {
    String id = request.getNodeId();
    if (!id.equals("-") && !id.equals(node.id().text())) {
      observer.onError(
          Status.NOT_FOUND
              .withDescription(
                  "node_id = " + id + ": this process knows its own media node only: " + node.id())
              .asRuntimeException());
      return;
    }
    node.drain(drain);
    observer.onNext(
        shown(
            drain
                ? MediaNodeState.MEDIA_NODE_STATE_DRAINING
                : MediaNodeState.MEDIA_NODE_STATE_RUNNING));
    observer.onCompleted();
  }

  private static MediaNodeState state(NodeState state) {
    return switch (state) {
      case RESTORING -> MediaNodeState.MEDIA_NODE_STATE_RESTORING;
      case RUNNING -> MediaNodeState.MEDIA_NODE_STATE_RUNNING;
      case DRAINING -> MediaNodeState.MEDIA_NODE_STATE_DRAINING;
    };
  }

  private io.sippbx.proto.admin.v1.MediaNode shown(MediaNodeState state) {
    MediaNodeMetrics metrics = node.metrics();
    PortLedger pairs = metrics.pairs();
    return io.sippbx.proto.admin.v1.MediaNode.newBuilder()
        .setNodeId(node.id().text())
        .setIncarnation(node.incarnation().toString())
        .setState(state)
        .setSessions(metrics.sessions())
        .setSessionsLimit(metrics.sessionsLimit())
        .setPortPairs(pairs.total())
        .setPortPairsInUse(pairs.lent())
        .build();
  }
}
