package io.sippbx.control.store.redis;

import io.lettuce.core.resource.EventLoopGroupProvider;
import io.lettuce.core.resource.Transports;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.EventExecutorGroup;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.util.concurrent.TimeUnit;

/** Lets Lettuce run on the node's own event loops, which it neither makes nor ends. */
final class SharedEventLoops implements EventLoopGroupProvider {

  private final EventLoopGroup group;

  SharedEventLoops(EventLoopGroup group) {
    this.group = group;
  }

  /** Whether the channels that Lettuce makes here run on this group. */
  static boolean fits(EventLoopGroup group) {
    if (!(group instanceof IoEventLoopGroup io)) {
      return false;
    }
    Class<?> channel = Transports.socketChannelClass();
    return channel == EpollSocketChannel.class && io.isIoType(EpollIoHandler.class)
        || channel == NioSocketChannel.class && io.isIoType(NioIoHandler.class);
  }

  @Override
  public <T extends EventLoopGroup> T allocate(Class<T> type) {
    return type.cast(group);
  }

  @Override
  public int threadPoolSize() {
    return 1;
  }

  @Override
  public Future<Boolean> release(
      EventExecutorGroup released, long quietPeriod, long timeout, TimeUnit unit) {
    return GlobalEventExecutor.INSTANCE.newSucceededFuture(true);
  }

  @Override
  public Future<Boolean> shutdown(long quietPeriod, long timeout, TimeUnit timeUnit) {
    return GlobalEventExecutor.INSTANCE.newSucceededFuture(true);
  }
}
