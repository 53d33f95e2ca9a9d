package io.sippbx.control.media;

import io.sippbx.shared.net.IpAddress;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Resolves as the operating system does (hosts file, search domains, DNS), on a thread of its own,
 * since that may take long.
 */
public final class SystemHostResolver implements HostResolver, AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(SystemHostResolver.class);
  private static final int MOST_WAITING = 64;

  private final ThreadPoolExecutor executor;

  /** A resolver whose thread ends when nothing was asked for a minute. */
  public SystemHostResolver() {
    executor =
        new ThreadPoolExecutor(
            1,
            1,
            1,
            TimeUnit.MINUTES,
            new ArrayBlockingQueue<>(MOST_WAITING),
            task -> {
              var thread = new Thread(task, "media-resolver");
              thread.setDaemon(true);
              return thread;
            });
    executor.allowCoreThreadTimeOut(true);
  }

  @Override
  public void resolve(String host, Consumer<List<IpAddress>> answer) {
    try {
      executor.execute(() -> answer.accept(lookUp(host)));
    } catch (RejectedExecutionException full) {
      answer.accept(List.of());
    }
  }

  private static List<IpAddress> lookUp(String host) {
    try {
      return Stream.of(InetAddress.getAllByName(host))
          .map(address -> IpAddress.ofOctets(address.getAddress()))
          .distinct()
          .toList();
    } catch (UnknownHostException e) {
      log.atWarn().addKeyValue("host", host).log("media.host.unknown");
      return List.of();
    }
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}
