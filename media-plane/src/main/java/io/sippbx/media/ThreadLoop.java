package io.sippbx.media;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
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
 * read, carried out and answered without waking another thread. The thread is its own, or that of a
 * loop which others use besides and which outlives it. What a task throws is a fault of ours:
 * logged and counted, and the loop goes on. After {@link #close} tasks are dropped.
 */
final class ThreadLoop implements NodeLoop, AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(ThreadLoop.class);
  private static final Duration CLOSE_WITHIN = Duration.ofSeconds(5);

  private final EventLoop executor;
  private final boolean isOwn;
  private final LongAdder faults = new LongAdder();
  private volatile boolean closed;

  private ThreadLoop(EventLoop executor, boolean isOwn) {
    this.executor = executor;
    this.isOwn = isOwn;
  }

  /** One with a thread of its own, which ends with it. */
  static ThreadLoop own(String name) {
    IoHandlerFactory factory =
        Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    EventLoopGroup group =
        new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory(name, true), factory);
    return new ThreadLoop(group.next(), true);
  }

  /** One on {@code executor}, which goes on after it. */
  static ThreadLoop on(EventLoop executor) {
    return new ThreadLoop(executor, false);
  }

  /** Netty's view of it, for a server that runs on it. */
  EventLoopGroup group() {
    return executor;
  }

  /** The listening channels that run on it. */
  Class<? extends ServerChannel> serverChannel() {
    boolean isEpoll = executor instanceof IoEventLoop io && io.isIoType(EpollIoHandler.class);
    return isEpoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
  }

  @Override
  public void execute(Runnable task) {
    try {
      executor.execute(guarded(task));
    } catch (RejectedExecutionException e) {
      log.atDebug().log("media.loop.closed");
    }
  }

  /** Runs {@code task} again and again, {@code pause} after each time, until the loop is closed. */
  void every(Duration pause, Runnable task) {
    try {
      // What it throws is caught in it.
      var _ = executor.schedule(() -> again(pause, task), pause.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      log.atDebug().log("media.loop.closed");
    }
  }

  private void again(Duration pause, Runnable task) {
    if (!closed) {
      guarded(task).run();
      every(pause, task);
    }
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

  /**
   * Drops what waits, and returns when the task under way is done, or after 5 s. Not to be called
   * on the loop.
   */
  @Override
  public void close() {
    closed = true;
    if (!ended().awaitUninterruptibly(CLOSE_WITHIN.toMillis())) {
      log.atError().log("media.loop.stuck");
    }
  }

  /** Done when no task of this loop is under way, and none begins any more. */
  private Future<?> ended() {
    if (isOwn) {
      return executor.shutdownGracefully(0, CLOSE_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
    }
    try {
      return executor.submit(() -> {});
    } catch (RejectedExecutionException e) {
      return executor.terminationFuture();
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
