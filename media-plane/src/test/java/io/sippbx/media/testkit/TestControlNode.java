package io.sippbx.media.testkit;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.sippbx.proto.media.v1.AddressFamily;
import io.sippbx.proto.media.v1.Apply;
import io.sippbx.proto.media.v1.ApplyResult;
import io.sippbx.proto.media.v1.ControlMessage;
import io.sippbx.proto.media.v1.Hello;
import io.sippbx.proto.media.v1.MediaControlGrpc;
import io.sippbx.proto.media.v1.NodeMessage;
import io.sippbx.proto.media.v1.Release;
import io.sippbx.proto.media.v1.ReleaseResult;
import io.sippbx.proto.media.v1.SessionSpec;
import io.sippbx.proto.media.v1.StreamEnd;
import io.sippbx.proto.media.v1.StreamSpec;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** A stream to a media node, spoken by hand. Waits at most 20 s for anything. */
public final class TestControlNode {

  private static final int PATIENCE_S = 20;

  private final LinkedBlockingQueue<NodeMessage> received = new LinkedBlockingQueue<>();
  private final CompletableFuture<Status> end = new CompletableFuture<>();
  private final boolean reads;
  private @Nullable ClientCallStreamObserver<ControlMessage> out;

  private TestControlNode(boolean reads) {
    this.reads = reads;
  }

  /** A control node that has said Hello. */
  public static TestControlNode connect(ManagedChannel channel, String name) {
    TestControlNode node = open(channel, true);
    node.hello(name);
    return node;
  }

  /** A stream on which nothing was said yet; one that does not read takes nothing. */
  public static TestControlNode open(ManagedChannel channel, boolean reads) {
    var node = new TestControlNode(reads);
    MediaControlGrpc.newStub(channel).connect(node.new Inbound());
    return node;
  }

  /** Says Hello. */
  public void hello(String name) {
    send(
        ControlMessage.newBuilder()
            .setHello(Hello.newBuilder().setNodeId(name).setIncarnation(1))
            .build());
  }

  /** Says anything. */
  public void send(ControlMessage message) {
    if (out != null) {
      out.onNext(message);
    }
  }

  /** An Apply of one audio stream, and its answer. */
  public ApplyResult apply(String call, long revision, boolean confirmed, long requestId) {
    send(applyMessage(call, revision, confirmed, requestId));
    return await(m -> m.hasApplyResult() && m.getApplyResult().getRequestId() == requestId)
        .getApplyResult();
  }

  /** A Release, and its answer. */
  public ReleaseResult release(String call, long revision, long requestId) {
    send(
        ControlMessage.newBuilder()
            .setRelease(
                Release.newBuilder().setRequestId(requestId).setCallKey(call).setRevision(revision))
            .build());
    return await(m -> m.hasReleaseResult() && m.getReleaseResult().getRequestId() == requestId)
        .getReleaseResult();
  }

  /** An Apply of one audio stream. */
  public static ControlMessage applyMessage(
      String call, long revision, boolean confirmed, long requestId) {
    var end = StreamEnd.newBuilder().setFamily(AddressFamily.ADDRESS_FAMILY_IPV4).setMaySend(true);
    return ControlMessage.newBuilder()
        .setApply(
            Apply.newBuilder()
                .setRequestId(requestId)
                .setSpec(
                    SessionSpec.newBuilder()
                        .setCallKey(call)
                        .setRevision(revision)
                        .setConfirmed(confirmed)
                        .addStreams(StreamSpec.newBuilder().setMedia("audio").setA(end).setB(end))))
        .build();
  }

  /** The next message for which this holds; others are passed over. */
  public NodeMessage await(Predicate<NodeMessage> wanted) {
    try {
      long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
      while (true) {
        NodeMessage next = received.poll(endNs - System.nanoTime(), TimeUnit.NANOSECONDS);
        if (next == null) {
          throw new AssertionError("Expected a message, but none came; the end: " + end);
        }
        if (wanted.test(next)) {
          return next;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /** How the stream ended; OK if the node ended it well. */
  public Status awaitEnd() {
    try {
      return end.get(PATIENCE_S, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError("Expected the stream to end, but it did not", e);
    }
  }

  /** Whether the stream has ended. */
  public boolean hasEnded() {
    return end.isDone();
  }

  /** Takes messages from now on, if it did not. */
  public void read(int messages) {
    if (out != null) {
      out.request(messages);
    }
  }

  /** Ends the stream. */
  public void close() {
    if (out != null) {
      out.onCompleted();
    }
  }

  private final class Inbound implements ClientResponseObserver<ControlMessage, NodeMessage> {
    @Override
    public void beforeStart(ClientCallStreamObserver<ControlMessage> stream) {
      out = stream;
      if (!reads) {
        stream.disableAutoRequestWithInitial(0);
      }
    }

    @Override
    public void onNext(NodeMessage message) {
      received.add(message);
    }

    @Override
    public void onError(Throwable error) {
      end.complete(
          error instanceof StatusRuntimeException e ? e.getStatus() : Status.fromThrowable(error));
    }

    @Override
    public void onCompleted() {
      end.complete(Status.OK);
    }
  }
}
