package io.sippbx.control.mesh.grpc;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.CallStreamObserver;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.netty.channel.ChannelOption;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.mesh.MeshNetwork;
import io.sippbx.control.mesh.MeshStream;
import io.sippbx.control.sip.transport.AdvertisedAddresses;
import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.proto.mesh.v1.MeshGrpc;
import io.sippbx.proto.mesh.v1.MeshMessage;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.tls.NodeTls;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The streams of the mesh by gRPC, on the node's event loops: what they bring is given to one of
 * them.
 *
 * <p>A stream has a connection of its own, so that its end is the connection's, and nothing else is
 * served at the address.
 */
public final class GrpcMeshNetwork implements MeshNetwork, AutoCloseable {

  // A SIP message of the largest size, and what goes with it.
  private static final int MOST_MESSAGE_BYTES = 256 * 1_024;
  private static final int CONNECT_MS = 1_000;
  private static final Duration CLOSE_TIME = Duration.ofSeconds(1);

  private final NettyLoops loops;
  private final Loop loop;
  private final Optional<NodeTls> tls;
  private final Endpoint address;
  private final Server server;
  private @Nullable Function<MeshStream, MeshStream.Listener> acceptor;

  private GrpcMeshNetwork(
      NettyLoops loops,
      Loop loop,
      Endpoint bind,
      Optional<Endpoint> advertised,
      Optional<NodeTls> tls)
      throws IOException {
    this.loops = loops;
    this.loop = loop;
    this.tls = tls;
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(NettyLoops.socketAddress(bind))
            .bossEventLoopGroup(loops.group())
            .workerEventLoopGroup(loops.group())
            .channelFactory(() -> loops.newServerChannel(bind.ip().isV6()))
            .executor(loop::execute)
            .maxInboundMessageSize(MOST_MESSAGE_BYTES)
            .maxConcurrentCallsPerConnection(1)
            .maxInboundMetadataSize(8 * 1_024)
            .handshakeTimeout(2, TimeUnit.SECONDS)
            .keepAliveTime(10, TimeUnit.SECONDS)
            .keepAliveTimeout(2, TimeUnit.SECONDS)
            .permitKeepAliveTime(5, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            .addService(new Service());
    tls.ifPresent(with -> builder.sslContext(with.server()));
    this.server = builder.build().start();
    Endpoint bound = bind.withPort(server.getPort());
    this.address =
        advertised
            .map(told -> told.port() == 0 ? told.withPort(bound.port()) : told)
            .orElseGet(() -> reachable(bound));
  }

  private static Endpoint reachable(Endpoint bound) {
    return bound.ip().isUnspecified()
        ? AdvertisedAddresses.find(bound.ip().isV6())
            .map(ip -> new Endpoint(ip, bound.port()))
            .orElse(bound)
        : bound;
  }

  /**
   * Listens for other nodes; who comes is refused until {@link #accept}.
   *
   * @param loop one of {@code loops}, on which all is done
   * @param advertised what others are told, with port 0: the bound one; empty: the bound address,
   *     or for an unspecified one that of this host
   * @param tls empty: in the clear
   * @throws IOException if the address cannot be bound
   */
  public static GrpcMeshNetwork listen(
      NettyLoops loops,
      Loop loop,
      Endpoint bind,
      Optional<Endpoint> advertised,
      Optional<NodeTls> tls)
      throws IOException {
    return new GrpcMeshNetwork(loops, loop, bind, advertised, tls);
  }

  @Override
  public Endpoint address() {
    return address;
  }

  @Override
  public void accept(Function<MeshStream, MeshStream.Listener> next) {
    acceptor = next;
  }

  @Override
  public MeshStream dial(Endpoint to, MeshStream.Listener listener) {
    NettyChannelBuilder builder = NettyChannelBuilder.forAddress(NettyLoops.socketAddress(to));
    tls.ifPresentOrElse(with -> builder.sslContext(with.client()), builder::usePlaintext);
    ManagedChannel channel =
        builder
            .eventLoopGroup(loops.group())
            .channelFactory(() -> loops.newSocketChannel(to.ip().isV6()))
            .executor(loop::execute)
            .maxInboundMessageSize(MOST_MESSAGE_BYTES)
            .keepAliveTime(10, TimeUnit.SECONDS)
            .keepAliveTimeout(2, TimeUnit.SECONDS)
            .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MS)
            .build();
    var dialled = new Dialled(channel, listener);
    MeshGrpc.newStub(channel).connect(dialled);
    return dialled;
  }

  /** Listens no more and ends what is open. Not to be called on a loop. */
  @Override
  public void close() {
    server.shutdownNow();
    try {
      server.awaitTermination(CLOSE_TIME.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String reason(Throwable cause) {
    Status status = Status.fromThrowable(cause);
    String text = status.getDescription() == null ? "" : ": " + status.getDescription();
    Throwable root = status.getCause();
    return status.getCode() + text + (root == null ? "" : ": " + root.getMessage());
  }

  /** What both kinds have in common. */
  private abstract static class Stream implements MeshStream, StreamObserver<MeshMessage> {
    @Nullable CallStreamObserver<MeshMessage> out;
    MeshStream.@Nullable Listener listener;

    @Override
    public final boolean isReady() {
      return out != null && out.isReady();
    }

    @Override
    public final void write(MeshMessage message) {
      if (out != null) {
        out.onNext(message);
      }
    }

    @Override
    public final void onNext(MeshMessage message) {
      if (listener != null) {
        listener.heard(message);
      }
    }

    @Override
    public final void onError(Throwable cause) {
      ended(reason(cause));
    }

    @Override
    public final void onCompleted() {
      ended("ended by the peer");
    }

    final void ready() {
      if (listener != null) {
        listener.ready();
      }
    }

    private void ended(String reason) {
      MeshStream.Listener told = listener;
      end();
      if (told != null) {
        told.ended(reason);
      }
    }
  }

  /** A stream that this node has opened, with the channel that is its own. */
  private static final class Dialled extends Stream
      implements ClientResponseObserver<MeshMessage, MeshMessage> {
    private final ManagedChannel channel;

    Dialled(ManagedChannel channel, MeshStream.Listener listener) {
      this.channel = channel;
      this.listener = listener;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<MeshMessage> requests) {
      out = requests;
      requests.setOnReadyHandler(this::ready);
    }

    @Override
    public void end() {
      out = null;
      listener = null;
      channel.shutdownNow();
    }
  }

  /** A stream that a peer has opened. */
  private static final class Accepted extends Stream {
    private @Nullable ServerCallStreamObserver<MeshMessage> responses;

    Accepted(ServerCallStreamObserver<MeshMessage> responses) {
      this.out = responses;
      this.responses = responses;
      responses.setOnReadyHandler(this::ready);
      responses.setOnCancelHandler(() -> onError(Status.CANCELLED.asRuntimeException()));
    }

    @Override
    public void end() {
      ServerCallStreamObserver<MeshMessage> open = responses;
      out = null;
      listener = null;
      responses = null;
      if (open != null && !open.isCancelled()) {
        open.onError(Status.UNAVAILABLE.withDescription("ended").asRuntimeException());
      }
    }
  }

  private final class Service extends MeshGrpc.MeshImplBase {
    @Override
    public StreamObserver<MeshMessage> connect(StreamObserver<MeshMessage> responses) {
      var stream = new Accepted((ServerCallStreamObserver<MeshMessage>) responses);
      Function<MeshStream, MeshStream.Listener> next = acceptor;
      if (next == null) {
        stream.end();
      } else {
        stream.listener = next.apply(stream);
      }
      return stream;
    }
  }
}
