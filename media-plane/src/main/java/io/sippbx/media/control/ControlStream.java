package io.sippbx.media.control;

import io.grpc.stub.ServerCallStreamObserver;
import io.sippbx.media.session.ControlNode;
import io.sippbx.proto.media.v1.NodeMessage;
import io.sippbx.proto.media.v1.NodeStatus;
import java.util.ArrayDeque;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One stream of a control node, as far as it is written to. Messages wait in order while the peer
 * takes none, up to a limit; of the node's states only the last one waits. Confined to the loop.
 */
final class ControlStream {

  private final ServerCallStreamObserver<NodeMessage> observer;
  private final int maxQueued;
  private final ArrayDeque<NodeMessage> queue = new ArrayDeque<>();
  private final long openedNs;
  private @Nullable ControlNode peer;
  private @Nullable NodeStatus status;
  private boolean stuck;
  private long stuckSinceNs;
  private int highMark;
  private boolean closed;

  ControlStream(ServerCallStreamObserver<NodeMessage> observer, int maxQueued, long nowNs) {
    this.observer = observer;
    this.maxQueued = maxQueued;
    openedNs = nowNs;
  }

  Optional<ControlNode> peer() {
    return Optional.ofNullable(peer);
  }

  void hello(ControlNode node) {
    peer = node;
  }

  boolean isClosed() {
    return closed;
  }

  /** Most messages that have waited at once. */
  int highMark() {
    return highMark;
  }

  int queued() {
    return queue.size() + (status == null ? 0 : 1);
  }

  /**
   * Sends now or as soon as the peer takes it.
   *
   * @return false if more wait than may: the stream is to be closed
   */
  boolean send(NodeMessage message, long nowNs) {
    if (closed) {
      return true;
    }
    queue.add(message);
    flush(nowNs);
    highMark = Math.max(highMark, queue.size());
    return queue.size() <= maxQueued;
  }

  /** Sends the node's state, in place of an earlier one that still waits. */
  void send(NodeStatus newStatus, long nowNs) {
    if (!closed) {
      status = newStatus;
      flush(nowNs);
    }
  }

  /** Sends what waits as long as the peer takes it. */
  void flush(long nowNs) {
    while (!closed && queued() > 0 && observer.isReady()) {
      NodeMessage next = queue.poll();
      if (next == null && status != null) {
        next = NodeMessage.newBuilder().setStatus(status).build();
        status = null;
      }
      if (next != null) {
        observer.onNext(next);
      }
    }
    boolean waits = queued() > 0;
    if (waits && !stuck) {
      stuckSinceNs = nowNs;
    }
    stuck = waits;
  }

  /** For how long something has waited; 0 when nothing does. */
  long stuckNs(long nowNs) {
    return stuck ? nowNs - stuckSinceNs : 0;
  }

  /** For how long the stream has been open without a Hello; 0 after it. */
  long silentNs(long nowNs) {
    return peer == null ? nowNs - openedNs : 0;
  }

  /** One more message may come. */
  void request() {
    if (!closed) {
      observer.request(1);
    }
  }

  /** Ends the stream: with an error, or well if there is none. */
  void close(@Nullable MediaControlException error) {
    if (closed) {
      return;
    }
    closed = true;
    queue.clear();
    status = null;
    if (observer.isCancelled()) {
      return;
    }
    if (error == null) {
      observer.onCompleted();
    } else {
      observer.onError(error);
    }
  }
}
