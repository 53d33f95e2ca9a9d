package io.sippbx.simulation;

import io.grpc.ManagedChannel;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaChannels;
import io.sippbx.control.media.MediaTarget;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * The channels to media nodes that one start of a control node has opened, within this JVM. They
 * end with it: gRPC keeps a channel that nobody has shut down, with all that hangs on it, for good.
 */
final class MediaPaths implements MediaChannels {

  private static final int PORT = 9900;

  /** From 30 days on a channel does not look whether it is idle, which it would on real time. */
  private static final int NEVER_IDLE_DAYS = 365;

  private final Map<String, String> ways = new TreeMap<>();
  private final List<MediaTarget> targets = new ArrayList<>();
  private final List<ManagedChannel> opened = new ArrayList<>();

  MediaPaths(NodeId control, List<MediaHost> media) {
    for (MediaHost each : media) {
      var endpoint = new Endpoint(each.address(), PORT);
      ways.put(endpoint.toString(), each.wayOf(control.text()));
      targets.add(new MediaTarget.Network(each.address().toString(), PORT));
    }
  }

  List<MediaTarget> targets() {
    return List.copyOf(targets);
  }

  @Override
  public ManagedChannel to(Endpoint endpoint, Loop loop) {
    String name =
        Optional.ofNullable(ways.get(endpoint.toString()))
            .orElseThrow(
                () -> new IllegalStateException("Expected a media node at " + endpoint + ": none"));
    opened.removeIf(ManagedChannel::isTerminated);
    ManagedChannel channel =
        InProcessChannelBuilder.forName(name)
            .executor(loop::execute)
            .idleTimeout(NEVER_IDLE_DAYS, TimeUnit.DAYS)
            .build();
    opened.add(channel);
    return channel;
  }

  /** The process is gone, and its connections with it. */
  void end() {
    opened.forEach(ManagedChannel::shutdownNow);
  }

  /** How many are open, or have not come to their end. */
  int open() {
    return (int) opened.stream().filter(each -> !each.isTerminated()).count();
  }
}
