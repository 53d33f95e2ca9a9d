package io.sippbx.control.media;

import io.grpc.ManagedChannel;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.sippbx.control.loop.Loop;
import io.sippbx.proto.media.v1.ControlMessage;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * The ways to media nodes: an address is one, whether it stands in the configuration or a name has
 * it; each has a stream, opened anew after a time when it ends. Confined to the loop.
 */
final class MediaWays {

  /** From 30 days on a channel does not look at all. */
  private static final Duration NEVER_IDLE = Duration.ofDays(365);

  private final GrpcMediaPlaneSettings settings;
  private final Loop loop;
  private final RandomGenerator random;
  private final HostResolver resolver;
  private final MediaChannels channels;
  private final ControlMessage hello;
  private final MediaLink.Listener listener;

  /** By address, so that they are gone through in one order. */
  private final TreeMap<String, MediaLink> byAddress = new TreeMap<>();

  private final LinkedHashMap<MediaTarget.Network, TreeSet<String>> resolved =
      new LinkedHashMap<>();
  private long nextResolveNs;
  private boolean closed;

  /**
   * @param random for the jitter of attempts to connect
   * @param hello the first word on each stream
   */
  MediaWays(
      GrpcMediaPlaneSettings settings,
      Loop loop,
      RandomGenerator random,
      HostResolver resolver,
      MediaChannels channels,
      ControlMessage hello,
      MediaLink.Listener listener) {
    this.settings = settings;
    this.loop = loop;
    this.random = random;
    this.resolver = resolver;
    this.channels = channels;
    this.hello = hello;
    this.listener = listener;
  }

  void begin() {
    for (MediaTarget target : settings.targets()) {
      switch (target) {
        case MediaTarget.InProcess(String name) ->
            byAddress.computeIfAbsent(
                target.toString(),
                address -> new MediaLink(address, () -> inProcess(name), loop, listener));
        case MediaTarget.Network network -> resolved.put(network, new TreeSet<>());
      }
    }
    nextResolveNs = loop.nowNs();
  }

  /**
   * Its stream is always wanted: a channel that looks whether it is idle holds its loop for that.
   */
  private ManagedChannel inProcess(String name) {
    return InProcessChannelBuilder.forName(name)
        .executor(loop::execute)
        .idleTimeout(NEVER_IDLE.toDays(), TimeUnit.DAYS)
        .build();
  }

  /** Begins to listen anew on all: this process was not able to hear. */
  void excuseAll() {
    byAddress.values().forEach(MediaLink::excuse);
  }

  /** Looks names up, opens streams and gives up those that are silent, each when it is due. */
  void tick(long nowNs) {
    if (nowNs - nextResolveNs >= 0) {
      nextResolveNs = nowNs + settings.resolveEvery().toNanos();
      resolved.keySet().forEach(this::resolve);
    }
    for (MediaLink link : List.copyOf(byAddress.values())) {
      if (link.isDue()) {
        link.open(hello);
      } else if (link.isOpen() && link.silentNs() >= settings.streamDeadAfter().toNanos()) {
        link.end("silent for " + link.silentNs() / 1_000_000 + " ms");
      }
    }
  }

  /** A stream has ended: it is opened again after a time. */
  void ended(MediaLink link) {
    link.retryIn(backoffNs(link.failures()));
    if (!link.wanted) {
      byAddress.remove(link.address());
    }
  }

  /** There may be another way to the node that {@code ended} led to. */
  void tryOthers(MediaLink ended) {
    for (MediaLink other : byAddress.values()) {
      if (other != ended && !other.isOpen() && other.failures() == 0) {
        other.retryIn(0);
      }
    }
  }

  private long backoffNs(int failures) {
    long most = settings.mostBackoff().toNanos();
    long base = settings.firstBackoff().toNanos();
    for (int i = 1; i < failures && base < most; i++) {
      base *= 2;
    }
    base = Math.min(base, most);
    return base / 2 + random.nextLong(base / 2 + 1);
  }

  private void resolve(MediaTarget.Network target) {
    Optional<IpAddress> literal = IpAddress.parse(target.host());
    if (literal.isPresent()) {
      found(target, List.of(literal.get()));
    } else {
      resolver.resolve(target.host(), addresses -> loop.execute(() -> found(target, addresses)));
    }
  }

  private void found(MediaTarget.Network target, List<IpAddress> addresses) {
    // A name server that is down does not take nodes away.
    if (closed || addresses.isEmpty()) {
      return;
    }
    var now = new TreeSet<String>();
    for (IpAddress address : addresses) {
      var endpoint = new Endpoint(address, target.port());
      now.add(endpoint.toString());
      MediaLink link =
          byAddress.computeIfAbsent(
              endpoint.toString(),
              text -> new MediaLink(text, () -> channels.to(endpoint, loop), loop, listener));
      link.wanted = true;
    }
    resolved.put(target, now);
    for (MediaLink link : List.copyOf(byAddress.values())) {
      boolean wanted =
          link.address().startsWith("in-process:")
              || resolved.values().stream().anyMatch(known -> known.contains(link.address()));
      link.wanted = wanted;
      if (!wanted && !link.isOpen()) {
        byAddress.remove(link.address());
      }
    }
  }

  /** Ends all streams, and opens none again. */
  void close() {
    closed = true;
    for (MediaLink link : List.copyOf(byAddress.values())) {
      link.end("closed");
    }
    byAddress.clear();
  }
}
