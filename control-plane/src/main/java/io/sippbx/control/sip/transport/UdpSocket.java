package io.sippbx.control.sip.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DatagramPacket;
import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipParser;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.TransportCounters.Drop;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.net.Endpoint;
import java.io.IOException;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One UDP socket. Reads on its event loop; {@link #send} may be called from any thread.
 *
 * <p>What the peer does with a datagram is not known: only what the system refuses is a failure.
 */
// Netty returns a future from everything; those of closing and of listeners tell nothing new.
@SuppressWarnings("FutureReturnValueIgnored")
final class UdpSocket extends ChannelInboundHandlerAdapter {

  private static final byte[] PONG = {'\r', '\n'};

  /** What a datagram takes in a queue beside its octets. */
  private static final int ENTRY_BYTES = 256;

  private final Endpoint advertised;
  private final TransportLimits limits;
  private final TransportCounters counters;
  private final Inbound inbound;
  private final Consumer<Throwable> unexpected;
  private final Optional<Member> holder;
  private final AtomicInteger queued = new AtomicInteger();

  /**
   * @param holder who this is, in the flows, unless all nodes share the address
   */
  UdpSocket(
      Endpoint advertised,
      TransportLimits limits,
      Inbound inbound,
      Consumer<Throwable> unexpected,
      Optional<Member> holder) {
    this.advertised = advertised;
    this.limits = limits;
    this.inbound = inbound;
    this.counters = inbound.counters();
    this.unexpected = unexpected;
    this.holder = holder;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    var datagram = (DatagramPacket) message;
    try {
      read(ctx.channel(), datagram);
    } finally {
      datagram.release();
    }
  }

  private void read(Channel channel, DatagramPacket datagram) {
    Endpoint remote = NettyLoops.endpoint(datagram.sender());
    if (remote.port() == 0 || remote.ip().isV6() != advertised.ip().isV6()) {
      counters.countDropped(Drop.SOURCE);
      return;
    }
    ByteBuf content = datagram.content();
    int length = content.readableBytes();
    if (length > limits.messages().messageBytes()) {
      counters.countDropped(Drop.TOO_LARGE);
      return;
    }
    byte[] octets = new byte[length];
    content.readBytes(octets);
    if (Inbound.isStun(octets)) {
      counters.countDropped(Drop.STUN);
      return;
    }
    Flow flow = flow(remote);
    switch (SipParser.parseOwned(octets, limits.messages())) {
      case ParseResult.Parsed parsed -> {
        inbound.trace(octets, 0, length, flow);
        inbound.parsed(parsed.message(), flow);
      }
      case ParseResult.Malformed malformed -> {
        inbound.trace(octets, 0, length, flow);
        inbound.malformed(malformed, flow);
      }
      case ParseResult.KeepAlive keepAlive -> {
        counters.countKeepAlive(TransportProtocol.UDP);
        if (Inbound.isPing(octets)) {
          transmit(channel, PONG, remote, success -> {}, failure -> {});
        }
      }
      // A datagram is all there is.
      case ParseResult.NeedMoreBytes more -> counters.countMalformed(TransportProtocol.UDP);
    }
  }

  private Flow flow(Endpoint remote) {
    return Flow.udp(advertised, remote).heldBy(holder);
  }

  /** Sends a message. {@code onFailure} is called on the event loop, or inline at the limit. */
  void send(Channel channel, byte[] octets, Endpoint remote, Consumer<SendFailure> onFailure) {
    MessageTracer tracer = inbound.tracer();
    if (tracer != null) {
      tracer.sent(octets, flow(remote), Instant.now());
    }
    transmit(
        channel, octets, remote, success -> counters.countSent(TransportProtocol.UDP), onFailure);
  }

  /** Whether nothing waits to be sent. */
  boolean isIdle() {
    return queued.get() == 0;
  }

  private void transmit(
      Channel channel,
      byte[] octets,
      Endpoint remote,
      Consumer<Channel> onSuccess,
      Consumer<SendFailure> onFailure) {
    int cost = octets.length + ENTRY_BYTES;
    if (queued.addAndGet(cost) > limits.udp().queuedBytes()) {
      queued.addAndGet(-cost);
      onFailure.accept(
          new SendFailure(
              SendFailure.Reason.QUEUE_FULL, "udp " + advertised + ": the send buffer is full"));
      return;
    }
    var datagram =
        new DatagramPacket(Unpooled.wrappedBuffer(octets), NettyLoops.socketAddress(remote));
    channel
        .writeAndFlush(datagram)
        .addListener(
            future -> {
              queued.addAndGet(-cost);
              if (future.isSuccess()) {
                onSuccess.accept(channel);
              } else {
                onFailure.accept(failure(future.cause(), remote));
              }
            });
  }

  private static SendFailure failure(@Nullable Throwable cause, Endpoint remote) {
    String text = cause == null || cause.getMessage() == null ? "not sent" : cause.getMessage();
    boolean large = text.toLowerCase(Locale.ROOT).contains("message too long");
    return new SendFailure(
        large ? SendFailure.Reason.TOO_LARGE : SendFailure.Reason.UNREACHABLE,
        "udp " + remote + ": " + text);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    // Of one datagram, read or written before: the socket goes on.
    if (!(cause instanceof IOException)) {
      unexpected.accept(cause);
    }
  }
}
