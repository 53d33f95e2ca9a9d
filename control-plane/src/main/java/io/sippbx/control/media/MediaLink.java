package io.sippbx.control.media;

import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import io.sippbx.control.loop.Loop;
import io.sippbx.proto.media.v1.ControlMessage;
import io.sippbx.proto.media.v1.DrainRequest;
import io.sippbx.proto.media.v1.ListRequest;
import io.sippbx.proto.media.v1.ListResponse;
import io.sippbx.proto.media.v1.MediaControlGrpc;
import io.sippbx.proto.media.v1.NodeMessage;
import io.sippbx.proto.media.v1.NodeStatus;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The way to one address: a channel and the stream on it, opened anew after each failure, always on
 * a new connection. Confined to the loop, which is the channel's executor too.
 */
final class MediaLink {

  /** What the link tells. */
  interface Listener {
    /** The node at the other end said something. */
    void heard(MediaLink link, NodeMessage message);

    /** The stream has ended, and nothing more comes from it. */
    void ended(MediaLink link, String reason);
  }

  private static final long LIST_DEADLINE_S = 5;

  private final String address;
  private final Supplier<ManagedChannel> channels;
  private final Loop loop;
  private final Listener listener;

  private @Nullable ManagedChannel channel;
  private @Nullable StreamObserver<ControlMessage> out;
  private int opened;
  private int failures;
  private long retryAtNs;
  private long heardNs;

  /** The node at the other end, once it has said its name on this stream. */
  @Nullable MediaNodeView node;

  /** Whether the directory still has the address. */
  boolean wanted = true;

  MediaLink(String address, Supplier<ManagedChannel> channels, Loop loop, Listener listener) {
    this.address = address;
    this.channels = channels;
    this.loop = loop;
    this.listener = listener;
    retryAtNs = loop.nowNs();
    heardNs = retryAtNs;
  }

  String address() {
    return address;
  }

  boolean isOpen() {
    return out != null;
  }

  /** Which opening of the stream this is; tells answers of an earlier one apart. */
  int opened() {
    return opened;
  }

  int failures() {
    return failures;
  }

  /** For how long nothing has been heard, since the stream was opened. */
  long silentNs() {
    return loop.nowNs() - heardNs;
  }

  /** Begins to listen anew: this process was not able to hear. */
  void excuse() {
    heardNs = loop.nowNs();
  }

  boolean isDue() {
    return out == null && loop.nowNs() - retryAtNs >= 0;
  }

  void retryIn(long delayNs) {
    retryAtNs = loop.nowNs() + delayNs;
  }

  /** The node has proved to be there: the next failure is the first again. */
  void proved() {
    failures = 0;
  }

  void open(ControlMessage hello) {
    opened++;
    heardNs = loop.nowNs();
    channel = channels.get();
    out = MediaControlGrpc.newStub(channel).connect(new Inbound(opened));
    out.onNext(hello);
  }

  void send(ControlMessage message) {
    if (out != null) {
      out.onNext(message);
    }
  }

  /** A page of the node's sessions. */
  void list(ListRequest request, StreamObserver<ListResponse> answer) {
    if (channel != null) {
      MediaControlGrpc.newStub(channel)
          .withDeadlineAfter(LIST_DEADLINE_S, TimeUnit.SECONDS)
          .list(request, answer);
    }
  }

  /** Takes no new sessions from now on, or does so again. */
  void drain(DrainRequest request, StreamObserver<NodeStatus> answer) {
    if (channel != null) {
      MediaControlGrpc.newStub(channel)
          .withDeadlineAfter(LIST_DEADLINE_S, TimeUnit.SECONDS)
          .drain(request, answer);
    }
  }

  /** Ends the stream and the connection; tells so if they were open. */
  void end(String reason) {
    if (out == null) {
      return;
    }
    out = null;
    failures++;
    if (channel != null) {
      channel.shutdownNow();
      channel = null;
    }
    listener.ended(this, reason);
  }

  /** What comes on one opening of the stream; nothing counts after its end. */
  private final class Inbound implements StreamObserver<NodeMessage> {
    private final int of;

    Inbound(int of) {
      this.of = of;
    }

    private boolean isCurrent() {
      return of == opened && out != null;
    }

    @Override
    public void onNext(NodeMessage message) {
      if (isCurrent()) {
        heardNs = loop.nowNs();
        listener.heard(MediaLink.this, message);
      }
    }

    @Override
    public void onError(Throwable error) {
      if (isCurrent()) {
        end(String.valueOf(error.getMessage()));
      }
    }

    @Override
    public void onCompleted() {
      if (isCurrent()) {
        end("ended by the node");
      }
    }
  }
}
