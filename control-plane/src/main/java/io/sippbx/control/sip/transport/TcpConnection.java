package io.sippbx.control.sip.transport;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipParser;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.TransportCounters.Closed;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * One TCP connection: frames what comes in, queues what goes out, and ends itself when a limit is
 * met.
 *
 * <p>Confined to its event loop, but for {@link #send}, {@link #close} and the reading methods. An
 * idle connection holds no buffer.
 */
// Netty returns a future from everything; those of closing and of listeners tell nothing new.
@SuppressWarnings("FutureReturnValueIgnored")
final class TcpConnection extends ChannelInboundHandlerAdapter {

  private static final byte[] NOTHING = new byte[0];
  private static final byte[] PONG = {'\r', '\n'};
  private static final int PING_BYTES = 4;

  private enum State {
    CONNECTING,
    OPEN,
    CLOSED
  }

  private final TcpConnections all;
  private final TransportLimits limits;
  private final TransportCounters counters;
  private final Inbound inbound;
  private final EventLoop eventLoop;
  private final Flow flow;
  private final AtomicLong queued = new AtomicLong();

  private volatile State state = State.CONNECTING;
  private Closed closedBecause = Closed.BY_PEER;
  private @Nullable SendFailure notOpened;
  private @Nullable Channel channel;

  // Incoming: octets from start to end of the buffer are not used yet.
  private byte[] buffer = NOTHING;
  private int start;
  private int end;
  private int needed;
  private int scanned;
  private long heldBytes;
  private boolean halfPing;
  private boolean deaf;
  private boolean hadMessage;
  private long lastUseNs = System.nanoTime();
  private @Nullable ScheduledFuture<?> halfReadTimer;
  private @Nullable ScheduledFuture<?> idleTimer;
  private @Nullable ScheduledFuture<?> firstMessageTimer;
  private @Nullable ScheduledFuture<?> closeTimer;

  // Outgoing.
  private final ArrayDeque<Outgoing> waiting = new ArrayDeque<>();
  private int writing;
  private long lastWrittenNs;
  private @Nullable ScheduledFuture<?> stallTimer;
  private boolean finishing;

  /**
   * @param flow names this connection
   */
  TcpConnection(TcpConnections all, Inbound inbound, EventLoop eventLoop, Flow flow) {
    this.all = all;
    this.limits = all.limits();
    this.counters = inbound.counters();
    this.inbound = inbound;
    this.eventLoop = eventLoop;
    this.flow = flow;
  }

  Flow flow() {
    return flow;
  }

  EventLoop eventLoop() {
    return eventLoop;
  }

  /** Whether it may still be sent over; it may end at any time. */
  boolean isUsable() {
    return state != State.CLOSED;
  }

  /** Opens it. Messages may be given to it at once, and wait. */
  void connect(Bootstrap bootstrap, InetSocketAddress remote, Duration atMost) {
    bootstrap
        .connect(remote)
        .addListener(
            future -> {
              if (!future.isSuccess()) {
                eventLoop.execute(() -> notOpened(future.cause(), atMost));
              }
            });
  }

  private void notOpened(Throwable cause, Duration atMost) {
    if (state != State.CONNECTING) {
      return;
    }
    var failure =
        cause instanceof ConnectTimeoutException
            ? new SendFailure(
                SendFailure.Reason.CONNECT_TIMEOUT,
                "tcp " + flow.remote() + ": no answer in " + atMost.toMillis() + " ms")
            : new SendFailure(
                SendFailure.Reason.UNREACHABLE, "tcp " + flow.remote() + ": " + text(cause));
    notOpened = failure;
    end(Closed.NOT_OPENED);
  }

  /** Takes a message, and fails it when it cannot be written. From any thread. */
  void send(Outgoing out) {
    long mine = queued.addAndGet(out.cost());
    long everybodys = counters.queuedBytes.addAndGet(out.cost());
    if (mine > limits.tcp().queuedBytesPerConnection()) {
      // A peer that does not take what it is sent delays nobody, and is given up.
      release(out);
      out.failed(queueFull());
      close(Closed.QUEUE_FULL);
    } else if (everybodys > limits.tcp().queuedBytes()) {
      release(out);
      out.failed(queueFull());
    } else if (eventLoop.inEventLoop()) {
      sendInLoop(out);
    } else {
      try {
        eventLoop.execute(() -> sendInLoop(out));
      } catch (RejectedExecutionException e) {
        release(out);
        out.failed(new SendFailure(SendFailure.Reason.CLOSED, "the node is shut down"));
      }
    }
  }

  private void sendInLoop(Outgoing out) {
    switch (state) {
      case CONNECTING -> waiting.add(out);
      case OPEN -> write(out);
      case CLOSED -> {
        release(out);
        out.failed(lost());
      }
    }
  }

  private void write(Outgoing out) {
    Channel open = channel;
    if (open == null) {
      throw new IllegalStateException("Expected an open connection to have a channel");
    }
    ByteBuf octets = open.alloc().directBuffer(out.octets().length).writeBytes(out.octets());
    if (writing++ == 0) {
      lastWrittenNs = System.nanoTime();
      watchForStall(limits.tcp().stalledTime().toNanos());
    }
    MessageTracer tracer = inbound.tracer();
    if (tracer != null && out.isMessage()) {
      tracer.sent(out.octets(), flow, Instant.now());
    }
    open.writeAndFlush(octets)
        .addListener(future -> written(out, future.isSuccess(), future.cause()));
  }

  private void written(Outgoing out, boolean success, @Nullable Throwable cause) {
    release(out);
    lastWrittenNs = System.nanoTime();
    lastUseNs = lastWrittenNs;
    if (--writing == 0 && stallTimer != null) {
      stallTimer.cancel(false);
      stallTimer = null;
    }
    if (success) {
      out.sent();
      if (out.isMessage()) {
        counters.countSent(TransportProtocol.TCP);
      }
      endIfFinished();
    } else {
      if (cause instanceof IOException && state == State.OPEN) {
        end(Closed.BROKEN);
      }
      out.failed(lost());
    }
  }

  private void watchForStall(long inNs) {
    stallTimer =
        eventLoop.schedule(
            () -> {
              long leftNs =
                  limits.tcp().stalledTime().toNanos() - (System.nanoTime() - lastWrittenNs);
              if (leftNs <= 0) {
                end(Closed.STALLED);
              } else {
                watchForStall(leftNs);
              }
            },
            inNs,
            TimeUnit.NANOSECONDS);
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    if (state != State.CONNECTING) {
      ctx.close();
      return;
    }
    channel = ctx.channel();
    state = State.OPEN;
    lastUseNs = System.nanoTime();
    watchForIdle(limits.tcp().idleTime().toNanos());
    if (flow.accepted()) {
      firstMessageTimer =
          eventLoop.schedule(
              () -> end(Closed.NO_MESSAGE),
              limits.tcp().firstMessageTime().toNanos(),
              TimeUnit.NANOSECONDS);
    }
    for (Outgoing out = waiting.poll(); out != null; out = waiting.poll()) {
      sendInLoop(out);
    }
    endIfFinished();
  }

  private void watchForIdle(long inNs) {
    idleTimer =
        eventLoop.schedule(
            () -> {
              long leftNs = limits.tcp().idleTime().toNanos() - (System.nanoTime() - lastUseNs);
              if (leftNs <= 0) {
                end(Closed.IDLE);
              } else {
                watchForIdle(leftNs);
              }
            },
            inNs,
            TimeUnit.NANOSECONDS);
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    var octets = (ByteBuf) message;
    try {
      lastUseNs = System.nanoTime();
      if (state != State.OPEN || deaf) {
        return;
      }
      append(octets);
    } finally {
      octets.release();
    }
    parse();
  }

  private void append(ByteBuf octets) {
    int more = octets.readableBytes();
    int held = end - start;
    if (start + held + more > buffer.length) {
      // Twice as much as is held, so that a message in small pieces is copied a few times only.
      int size = held == 0 ? more : Math.max(held + more, Math.min(2 * held, held + 65_536));
      byte[] next = new byte[size];
      System.arraycopy(buffer, start, next, 0, held);
      buffer = next;
      start = 0;
      end = held;
    }
    octets.readBytes(buffer, end, more);
    end += more;
  }

  private void parse() {
    boolean finished = false;
    while (state == State.OPEN && !deaf && end > start && end - start >= needed) {
      switch (SipParser.parseStream(buffer, start, end - start, scanned, limits.messages())) {
        case ParseResult.Parsed parsed -> {
          inbound.trace(buffer, start, parsed.consumed(), flow);
          use(parsed.consumed());
          finished = true;
          halfPing = false;
          if (!hadMessage) {
            hadMessage = true;
            cancel(firstMessageTimer);
          }
          inbound.parsed(parsed.message(), flow);
        }
        case ParseResult.KeepAlive keepAlive -> {
          use(keepAlive.consumed());
          finished = true;
          keptAlive(keepAlive.consumed());
        }
        case ParseResult.Malformed malformed -> {
          int length = malformed.consumed() > 0 ? malformed.consumed() : end - start;
          inbound.trace(buffer, start, length, flow);
          use(length);
          finished = true;
          if (malformed.consumed() == 0) {
            // The next message cannot be found: listen no more, and leave time for an answer.
            deaf = true;
            closeTimer =
                eventLoop.schedule(
                    () -> end(Closed.MALFORMED),
                    malformed.answerable().isPresent() ? limits.tcp().lingerTime().toNanos() : 0,
                    TimeUnit.NANOSECONDS);
          }
          inbound.malformed(malformed, flow);
        }
        case ParseResult.NeedMoreBytes more -> {
          needed = more.atLeast();
          scanned = more.scanned();
        }
      }
    }
    if (state == State.OPEN) {
      hold(finished);
    }
  }

  private void use(int octets) {
    start += octets;
    needed = 0;
    scanned = 0;
  }

  /** CRLFCRLF is answered with CRLF (RFC 5626 4.4.1), also when it comes in two halves. */
  private void keptAlive(int octets) {
    if (octets == PING_BYTES || halfPing) {
      halfPing = false;
      counters.countKeepAlive(TransportProtocol.TCP);
      send(Outgoing.keepAlive(PONG));
    } else {
      halfPing = true;
    }
  }

  /** Accounts for what is left of an unfinished message, and gives it a time to be finished. */
  private void hold(boolean finished) {
    int left = end - start;
    if (left == 0) {
      buffer = NOTHING;
      start = 0;
      end = 0;
    } else if (start > 0 && left < buffer.length / 2) {
      // Not to hold a large array for the first octets of a message. Not done while one and the
      // same message grows, or a peer that sends single octets would have us copy all day.
      buffer = Arrays.copyOfRange(buffer, start, end);
      start = 0;
      end = left;
    }
    long everybodys = counters.halfReadBytes.addAndGet(buffer.length - heldBytes);
    heldBytes = buffer.length;
    if (left > 0 && everybodys > limits.tcp().halfReadBytes()) {
      end(Closed.HALF_READ_BYTES);
      return;
    }
    if (finished || left == 0) {
      cancel(halfReadTimer);
      halfReadTimer = null;
    }
    if (left > 0 && halfReadTimer == null) {
      halfReadTimer =
          eventLoop.schedule(
              () -> end(Closed.HALF_READ_TIME),
              limits.tcp().halfReadTime().toNanos(),
              TimeUnit.NANOSECONDS);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    end(Closed.BY_PEER);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (!(cause instanceof IOException)) {
      all.unexpected(cause);
    }
    end(Closed.BROKEN);
  }

  /** Ends it, and fails what is not written. From any thread. */
  void close(Closed because) {
    if (eventLoop.inEventLoop()) {
      end(because);
    } else {
      eventLoop.execute(() -> end(because));
    }
  }

  /** Ends it once all that was given to it is written. From any thread. */
  void finish() {
    eventLoop.execute(
        () -> {
          finishing = true;
          endIfFinished();
        });
  }

  private void endIfFinished() {
    // What has waited for the connection is written one after another, some of it at once.
    if (finishing && state == State.OPEN && writing == 0 && waiting.isEmpty()) {
      end(Closed.SHUTDOWN);
    }
  }

  private void end(Closed because) {
    if (state == State.CLOSED) {
      return;
    }
    state = State.CLOSED;
    closedBecause = because;
    all.ended(this);
    counters.countClosed(because);
    counters.halfReadBytes.addAndGet(-heldBytes);
    heldBytes = 0;
    buffer = NOTHING;
    start = 0;
    end = 0;
    cancel(halfReadTimer);
    cancel(idleTimer);
    cancel(firstMessageTimer);
    cancel(stallTimer);
    cancel(closeTimer);
    for (Outgoing out = waiting.poll(); out != null; out = waiting.poll()) {
      release(out);
      out.failed(lost());
    }
    Channel open = channel;
    if (open != null) {
      open.close();
    }
  }

  /** What becomes of a message because of how this ended. */
  private SendFailure lost() {
    if (notOpened != null) {
      return notOpened;
    }
    return switch (closedBecause) {
      case QUEUE_FULL, STALLED -> queueFull();
      case SHUTDOWN -> new SendFailure(SendFailure.Reason.CLOSED, "the transport is shut down");
      case BY_PEER,
          BROKEN,
          NOT_OPENED,
          IDLE,
          NO_MESSAGE,
          HALF_READ_TIME,
          HALF_READ_BYTES,
          MALFORMED ->
          new SendFailure(
              SendFailure.Reason.CONNECTION_LOST, "tcp " + flow.remote() + ": connection lost");
    };
  }

  private SendFailure queueFull() {
    return new SendFailure(
        SendFailure.Reason.QUEUE_FULL,
        "tcp " + flow.remote() + ": the peer does not take what it is sent");
  }

  private void release(Outgoing out) {
    queued.addAndGet(-out.cost());
    counters.queuedBytes.addAndGet(-out.cost());
  }

  private static void cancel(@Nullable ScheduledFuture<?> timer) {
    if (timer != null) {
      timer.cancel(false);
    }
  }

  private static String text(Throwable cause) {
    String message = cause.getMessage();
    return message == null ? cause.getClass().getSimpleName() : message;
  }

  @Override
  public String toString() {
    return "TcpConnection" + Arrays.asList(flow, state);
  }
}
