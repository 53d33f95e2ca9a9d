package io.sippbx.control.media;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.ChannelOption;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.tls.NodeTls;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Channels whose sockets are served by the very loop that uses them: no message to or from a media
 * node wakes another thread, which on a busy core costs more than the message.
 */
public final class NettyMediaChannels implements MediaChannels {

  private static final int MOST_MESSAGE_BYTES = 4 * 1_024 * 1_024;
  private static final int CONNECT_MS = 1_000;

  private final NettyLoops loops;
  private final Optional<NodeTls> tls;

  /**
   * @param loops the node's; whoever uses these channels does so on one of them
   * @param tls empty: in the clear
   */
  public NettyMediaChannels(NettyLoops loops, Optional<NodeTls> tls) {
    this.loops = loops;
    this.tls = tls;
  }

  @Override
  public ManagedChannel to(Endpoint endpoint, Loop loop) {
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(NettyLoops.socketAddress(endpoint));
    tls.ifPresentOrElse(with -> builder.sslContext(with.client()), builder::usePlaintext);
    return builder
        .eventLoopGroup(loops.eventLoop(loop))
        .channelFactory(() -> loops.newSocketChannel(endpoint.ip().isV6()))
        .executor(loop::execute)
        .keepAliveTime(10, TimeUnit.SECONDS)
        .keepAliveTimeout(2, TimeUnit.SECONDS)
        .maxInboundMessageSize(MOST_MESSAGE_BYTES)
        .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MS)
        .build();
  }
}
