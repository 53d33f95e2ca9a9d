package io.sippbx.media;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.sippbx.media.session.NodeLoop;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's loop as a thread, which serves the sockets of control nodes too: an instruction is
 * read, carried out and answered without waking another thread. What a task throws is a fault of
 * ours: logged and counted, and the loop goes on. After {@link #close} tasks are dropped.
 */
final class ThreadLoop implements NodeLoop, AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(ThreadLoop.class);
  private static final Duration CLOSE_WITHIN = Duration.ofSeconds(5);

  private final EventLoopGroup group;
  private final EventLoop executor;
  private final LongAdder faults = new LongAdder();
  private volatile boolean closed;

  ThreadLoop(String name) {
    IoHandlerFactory factory =
        Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    group = new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory(name, true), factory);
    executor = group.next();
  }

  /** Netty's view of it, for a server that runs on it. */
  EventLoopGroup group() {
    return group;
  }

  /** The listening channels that run on it. */
  static Class<? extends ServerChannel> serverChannel() {
    return Epoll.isAvailable() ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
  }

  @Override
  public void execute(Runnable task) {
    try {
      executor.execute(guarded(task));
    } catch (RejectedExecutionException e) {
      log.atDebug().log("media.loop.closed");
    }
  }

  /** Runs {@code task} again and again until the loop is closed. */
  void every(Duration period, Runnable task) {
    // Ends with the executor; what the task throws is caught in it.
    var _ =
        executor.scheduleWithFixedDelay(
            guarded(task), period.toNanos(), period.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Tasks that failed. */
  long faults() {
    return faults.sum();
  }

  @Override
  public long nowNs() {
    return System.nanoTime();
  }

  @Override
  public Instant now() {
    return Instant.now();
  }

  /** Drops what waits, and returns when the task under way is done, or after 5 s. */
  @Override
  public void close() {
    closed = true;
    if (!group
        .shutdownGracefully(0, CLOSE_WITHIN.toMillis(), TimeUnit.MILLISECONDS)
        .awaitUninterruptibly(CLOSE_WITHIN.toMillis())) {
      log.atError().log("media.loop.stuck");
    }
  }

  // The outermost frame of the loop: here and nowhere else everything is caught.
  @SuppressWarnings("CatchingUnchecked")
  private Runnable guarded(Runnable task) {
    return () -> {
      if (closed) {
        return;
      }
      try {
        task.run();
      } catch (Exception e) {
        faults.increment();
        log.atError().setCause(e).log("media.loop.fault");
      }
    };
  }
}
